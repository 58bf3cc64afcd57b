/** @file binary_conv2d_f2c_rows.h
 *  Convolution of a map of bits with binary weights: the fastest variant, with bits as output.
 */
#ifndef MCUBNN_BINARY_CONV2D_F2C_ROWS_H
#define MCUBNN_BINARY_CONV2D_F2C_ROWS_H

#include "mcubnn/binary_conv2d_f2c.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_conv2d_f2c_rows(). */
typedef mcubnn_binary_conv2d_f2c_params mcubnn_binary_conv2d_f2c_rows_params;

/** Greatest kernel_height. */
#define MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS 11u

/** Scratch of mcubnn_binary_conv2d_f2c_rows(): lists of kernel_height rows of the map, with their
 *  lengths after each pixel, one pixel of padding, and one that waits for being pooled.
 *
 *  @param kernel_height of the window
 *  @param columns  columns in a list: those of the map if pad_value is 0, else
 *                  (output.width - 1) * stride_width + kernel_width
 *  @param channels input channels
 *  @param pooled   output channels with a pool, else 0
 */
#define MCUBNN_BINARY_CONV2D_F2C_ROWS_SCRATCH_BYTES(kernel_height, columns, channels, pooled)      \
    ((((channels) + 31u) / 32u * 4u) + (((pooled) + 31u) / 32u * 4u) +                             \
     ((((kernel_height) * (((columns) * (((channels) + 3u) / 4u * 4u)) + (columns) + 1u) * 2u) +   \
       3u) /                                                                                       \
      4u * 4u))

/** Convolution of a map of bits with binary weights.
 *
 *  Computes what mcubnn_binary_conv2d() computes with thresholds as output stage. Each row of the
 *  map is entered into lists once; the row of a window is a part of them. Time depends on the
 *  number of set bits under each window and is greatest where half of them are.
 *
 *  @param context buffer of MCUBNN_BINARY_CONV2D_F2C_ROWS_SCRATCH_BYTES(..)
 *  @param params  geometry and constants; dilations 1, at most
 *                 MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS rows, and fewer than 65536 entry
 *                 channels in a row and under a window, with Thumb-1 fewer than 16384
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  bits, [output.height][output.width][words]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL or a parameter is not as said above; nothing is
 *                                written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_conv2d_f2c_rows(const mcubnn_context *context,
                                            const mcubnn_binary_conv2d_f2c_rows_params *params,
                                            const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
