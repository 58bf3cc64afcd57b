/** @file int8_conv2d.h
 *  Convolution of a map of 8-bit values with 8-bit weights.
 */
#ifndef MCUBNN_INT8_CONV2D_H
#define MCUBNN_INT8_CONV2D_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_int8_conv2d(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output; /**< channels equal output_stage.channels */
    mcubnn_window window;
    mcubnn_pixel_type input_type; /**< MCUBNN_PIXEL_U8 or MCUBNN_PIXEL_S8 */
    const int8_t *weights;        /**< [output channel][kernel_h][kernel_w][input channel] */
    mcubnn_output_stage output_stage;
} mcubnn_int8_conv2d_params;

/** Convolution of a map of 8-bit values with 8-bit weights.
 *
 *  For each output pixel and channel, over the taps inside the map and the input channels c:
 *
 *      sum = sum of weight[c] * pixel[c]
 *
 *  Taps outside the map contribute nothing. The caller guarantees that no partial sum leaves int32.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry, constants and output stage
 *  @param input   pixels of input_type, [input.height][input.width][input.channels]
 *  @param output  as output_stage says, [output.height][output.width][channels]; must not
 *                 overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, or the
 *                                output stage is invalid; nothing is written
 */
mcubnn_status mcubnn_int8_conv2d(const mcubnn_context *context,
                                 const mcubnn_int8_conv2d_params *params, const void *input,
                                 void *output);

#ifdef __cplusplus
}
#endif

#endif
