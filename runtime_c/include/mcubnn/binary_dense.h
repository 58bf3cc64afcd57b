/** @file binary_dense.h
 *  Fully connected layer of bits with binary weights.
 */
#ifndef MCUBNN_BINARY_DENSE_H
#define MCUBNN_BINARY_DENSE_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_dense(). */
typedef struct {
    mcubnn_dims input;
    const uint32_t *weights; /**< [output][input.height][input.width][word], unused bits 0 */
    mcubnn_output_stage output_stage;
} mcubnn_binary_dense_params;

/** Fully connected layer of bits with binary weights.
 *
 *  For each output:
 *
 *      sum = height * width * channels - 2 * popcount(input xor weights)
 *
 *  which is the sum of products of the values -1 and +1. A vector is a map of one pixel.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  geometry, constants and output stage
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  as output_stage says, [output_stage.channels]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension is 0 or the output stage is
 *                                invalid; nothing is written
 */
mcubnn_status mcubnn_binary_dense(const mcubnn_context *context,
                                  const mcubnn_binary_dense_params *params, const uint32_t *input,
                                  void *output);

#ifdef __cplusplus
}
#endif

#endif
