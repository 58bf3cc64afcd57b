/** @file binary_conv2d.h
 *  Convolution of a map of bits with binary weights.
 */
#ifndef MCUBNN_BINARY_CONV2D_H
#define MCUBNN_BINARY_CONV2D_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_conv2d(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output; /**< channels equal output_stage.channels */
    mcubnn_window window;
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    int8_t pad_value;                       /**< 0, -1 or +1 */
    const uint32_t *weights; /**< [output channel][kernel_h][kernel_w][word], unused bits 0 */
    mcubnn_output_stage output_stage;
} mcubnn_binary_conv2d_params;

/** Convolution of a map of bits with binary weights.
 *
 *  For each output pixel and channel, over the taps inside the map:
 *
 *      sum = taps * input.channels - 2 * popcount(input xor weights)
 *
 *  which is the sum of products of the values -1 and +1. A tap outside the map contributes nothing
 *  if pad_value is 0, and pad_value times the sum of its weights if pad_value is -1 or +1.
 *  The output stage turns the sums into the output.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry, constants and output stage
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  as output_stage says, [output.height][output.width][channels]; must not
 *                 overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, pad_value
 *                                is none of -1, 0, 1, or output stage or pool are invalid; nothing
 *                                is written
 */
mcubnn_status mcubnn_binary_conv2d(const mcubnn_context *context,
                                   const mcubnn_binary_conv2d_params *params, const uint32_t *input,
                                   void *output);

#ifdef __cplusplus
}
#endif

#endif
