/** @file threshold.h
 *  Binarizer of an integer map or vector.
 */
#ifndef MCUBNN_THRESHOLD_H
#define MCUBNN_THRESHOLD_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_threshold(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_pixel_type input_type;
    mcubnn_output_stage output_stage; /**< channels equal input.channels */
} mcubnn_threshold_params;

/** Binarizer of an integer map or vector.
 *
 *      bit = (value >= threshold) xor flip
 *
 *  with the tables of the output stage, whose kind is MCUBNN_OUTPUT_BITS. A vector is a map of one
 *  pixel.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  shape and output stage
 *  @param input   values of input_type, [input.height][input.width][input.channels]
 *  @param output  bits, [input.height][input.width][words]; may be input if there are at least 4
 *                 channels, else must not overlap it
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension is 0 or the output stage is
 *                                invalid; nothing is written
 */
mcubnn_status mcubnn_threshold(const mcubnn_context *context, const mcubnn_threshold_params *params,
                               const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
