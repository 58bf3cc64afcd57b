/** @file int8_max_pool.h
 *  Max-pooling of a map of 8-bit values.
 */
#ifndef MCUBNN_INT8_MAX_POOL_H
#define MCUBNN_INT8_MAX_POOL_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_int8_max_pool(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output;
    mcubnn_window window;
    mcubnn_pixel_type input_type; /**< MCUBNN_PIXEL_U8 or MCUBNN_PIXEL_S8 */
    const uint32_t *minimum;      /**< one bit per channel; NULL for maximum everywhere */
} mcubnn_int8_max_pool_params;

/** Max-pooling of a map of 8-bit values.
 *
 *  Each output value is the maximum under the window, or the minimum if the channel's bit in
 * minimum is set. Taps outside the map do not count; every window must contain a pixel of the map.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry and flags
 *  @param input   values of input_type, [input.height][input.width][input.channels]
 *  @param output  as input, [output.height][output.width][channels]; may be input if pad_top
 *                 and pad_left are 0, else must not overlap it
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, or the
 *                                channels of input and output differ; nothing is written
 */
mcubnn_status mcubnn_int8_max_pool(const mcubnn_context *context,
                                   const mcubnn_int8_max_pool_params *params, const void *input,
                                   void *output);

#ifdef __cplusplus
}
#endif

#endif
