/** @file binary_conv2d_f2c_pixel.h
 *  Convolution of a map of bits with binary weights: fast with little scratch, bits as output.
 */
#ifndef MCUBNN_BINARY_CONV2D_F2C_PIXEL_H
#define MCUBNN_BINARY_CONV2D_F2C_PIXEL_H

#include "mcubnn/binary_conv2d_f2c.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_conv2d_f2c_pixel(). */
typedef mcubnn_binary_conv2d_f2c_params mcubnn_binary_conv2d_f2c_pixel_params;

/** Scratch of mcubnn_binary_conv2d_f2c_pixel(): a list of the inputs under one window, its lengths
 *  after each pixel of a row, one pixel of padding, and one that waits for being pooled.
 *
 *  @param kernel_height, kernel_width of the window
 *  @param channels input channels
 *  @param pooled   output channels with a pool, else 0
 */
#define MCUBNN_BINARY_CONV2D_F2C_PIXEL_SCRATCH_BYTES(kernel_height, kernel_width, channels,        \
                                                     pooled)                                       \
    ((((channels) + 31u) / 32u * 4u) + (((pooled) + 31u) / 32u * 4u) +                             \
     ((((kernel_width) * (((kernel_height) * (((channels) + 3u) / 4u * 4u)) + 1u) * 2u) + 3u) /    \
      4u * 4u))

/** Convolution of a map of bits with binary weights.
 *
 *  Computes what mcubnn_binary_conv2d() computes with thresholds as output stage. The inputs under
 *  each window are entered into lists anew; that takes less scratch than
 *  mcubnn_binary_conv2d_f2c_rows(), allows any dilation, and costs kernel_height * kernel_width /
 *  (stride_height * stride_width) times as much time for the lists. Time depends on the number of
 *  set bits under each window and is greatest where half of them are.
 *
 *  @param context buffer of MCUBNN_BINARY_CONV2D_F2C_PIXEL_SCRATCH_BYTES(kernel, channels)
 *  @param params  geometry and constants; at most 65536 entry channels under a window,
 *                 with Thumb-1 at most 16384
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  bits, [output.height][output.width][words]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL or a parameter is not as said above; nothing is
 *                                written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_conv2d_f2c_pixel(const mcubnn_context *context,
                                             const mcubnn_binary_conv2d_f2c_pixel_params *params,
                                             const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
