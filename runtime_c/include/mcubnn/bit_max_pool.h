/** @file bit_max_pool.h
 *  Max-pooling of a map of bits.
 */
#ifndef MCUBNN_BIT_MAX_POOL_H
#define MCUBNN_BIT_MAX_POOL_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_bit_max_pool(), and of convolutions that pool what they compute.
 *
 *  The parameters of some convolutions have a pointer `pool` to these. If it is not NULL, the
 *  convolution writes what mcubnn_bit_max_pool() would make of its output, and its output is never
 *  stored; it must be bits. pool->input equals the convolution's `output`. The windows have no
 *  padding, dilation 1 and do not overlap, and the last ones end where that map ends. Pixels that
 *  no window reads are not computed.
 */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output;
    mcubnn_window window;
    const uint32_t *minimum; /**< one bit per channel, unused bits 0; NULL for maximum everywhere */
} mcubnn_bit_max_pool_params;

/** Max-pooling of a map of bits.
 *
 *  Each output bit is the OR of the bits under the window, or their AND if the channel's bit in
 *  minimum is set: a maximum before a threshold with negative slope is a minimum behind it.
 *  Taps outside the map do not count; every window must contain a pixel of the map.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry and flags
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  bits, [output.height][output.width][words]; may be input if pad_top
 *                 and pad_left are 0, else must not overlap it
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, or the
 *                                channels of input and output differ; nothing is written
 */
mcubnn_status mcubnn_bit_max_pool(const mcubnn_context *context,
                                  const mcubnn_bit_max_pool_params *params, const uint32_t *input,
                                  void *output);

#ifdef __cplusplus
}
#endif

#endif
