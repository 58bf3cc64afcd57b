/** @file input_dense.h
 *  Fully connected layer of 8-bit values with binary weights.
 */
#ifndef MCUBNN_INPUT_DENSE_H
#define MCUBNN_INPUT_DENSE_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_input_dense(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_pixel_type input_type;       /**< MCUBNN_PIXEL_U8 or MCUBNN_PIXEL_S8 */
    const int32_t *channel_multipliers; /**< [input channel], or NULL for 1 */
    const uint32_t *weights;            /**< [output / 32][input element] */
    mcubnn_output_stage output_stage;
} mcubnn_input_dense_params;

/** Fully connected layer of 8-bit values with binary weights.
 *
 *  For each output, over all input elements e in (height, width, channel) order:
 *
 *      sum = sum of (weight bit set ? +1 : -1) * channel_multipliers[e % input.channels] * value[e]
 *
 *  A vector is one pixel: each of its elements is a channel. The caller guarantees that no
 *  partial sum leaves int32. Bit o % 32 of the weight word of block o / 32 belongs to output o.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry, constants and output stage
 *  @param input   values of input_type, [input.height][input.width][input.channels]
 *  @param output  as output_stage says, [output_stage.channels]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension is 0 or the output stage is
 *                                invalid; nothing is written
 */
mcubnn_status mcubnn_input_dense(const mcubnn_context *context,
                                 const mcubnn_input_dense_params *params, const void *input,
                                 void *output);

#ifdef __cplusplus
}
#endif

#endif
