/** @file binary_dense_mdfa.h
 *  Fully connected layer of bits with binary weights: the variant for few outputs of any kind.
 */
#ifndef MCUBNN_BINARY_DENSE_MDFA_H
#define MCUBNN_BINARY_DENSE_MDFA_H

#include "mcubnn/mdfa.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_dense_mdfa(). */
typedef struct {
    mcubnn_dims input;
    const uint32_t *weights; /**< [output][row word], rows of what mcubnn_binary_dense() has */
    mcubnn_output_stage output_stage;
} mcubnn_binary_dense_mdfa_params;

/** Scratch of mcubnn_binary_dense_mdfa(): a row of the input. */
#define MCUBNN_BINARY_DENSE_MDFA_SCRATCH_BYTES(height, width, channels)                            \
    MCUBNN_MDFA_ROW_BYTES((height) * (width) * (((channels) + 31u) / 32u))

/** Fully connected layer of bits with binary weights.
 *
 *  Computes what mcubnn_binary_dense() computes. Until the output stage, neither time nor addresses
 *  depend on the input's values.
 *
 *  @param context buffer of MCUBNN_BINARY_DENSE_MDFA_SCRATCH_BYTES(input's dimensions)
 *  @param params  geometry, constants and output stage
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  as output_stage says, [output_stage.channels]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension is 0 or the output stage is
 *                                invalid; nothing is written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_dense_mdfa(const mcubnn_context *context,
                                       const mcubnn_binary_dense_mdfa_params *params,
                                       const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
