/** @file input_conv2d.h
 *  Convolution of a map of 8-bit pixels with binary weights.
 */
#ifndef MCUBNN_INPUT_CONV2D_H
#define MCUBNN_INPUT_CONV2D_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_input_conv2d(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output; /**< channels equal output_stage.channels */
    mcubnn_window window;
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    mcubnn_pixel_type input_type;           /**< MCUBNN_PIXEL_U8 or MCUBNN_PIXEL_S8 */
    const int32_t *channel_multipliers;     /**< [input channel], or NULL for 1 */
    const uint32_t *weights; /**< [output channel / 32][kernel_h][kernel_w][input channel] */
    mcubnn_output_stage output_stage;
} mcubnn_input_conv2d_params;

/** Convolution of a map of 8-bit pixels with binary weights.
 *
 *  For each output pixel and channel, over the taps inside the map and the input channels c:
 *
 *      sum = sum of (weight bit set ? +1 : -1) * channel_multipliers[c] * pixel[c]
 *
 *  Taps outside the map contribute nothing. The caller guarantees that no partial sum leaves int32.
 *  Bit o % 32 of the weight word of block o / 32 belongs to output channel o.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry, constants and output stage
 *  @param input   pixels of input_type, [input.height][input.width][input.channels]
 *  @param output  as output_stage says, [output.height][output.width][channels]; must not
 *                 overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, or output
 *                                stage or pool are invalid; nothing is written
 */
mcubnn_status mcubnn_input_conv2d(const mcubnn_context *context,
                                  const mcubnn_input_conv2d_params *params, const void *input,
                                  void *output);

#ifdef __cplusplus
}
#endif

#endif
