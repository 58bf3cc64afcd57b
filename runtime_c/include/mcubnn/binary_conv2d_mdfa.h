/** @file binary_conv2d_mdfa.h
 *  Convolution of a map of bits with binary weights: the variant for outputs of any kind.
 */
#ifndef MCUBNN_BINARY_CONV2D_MDFA_H
#define MCUBNN_BINARY_CONV2D_MDFA_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/mdfa.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_conv2d_mdfa(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output; /**< channels equal output_stage.channels */
    mcubnn_window window;
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    int8_t pad_value;                       /**< -1 or +1 */
    const uint32_t *weights; /**< [output][row word], rows of what mcubnn_binary_conv2d() has */
    mcubnn_output_stage output_stage;
} mcubnn_binary_conv2d_mdfa_params;

/** Scratch of mcubnn_binary_conv2d_mdfa(): a row of the input under a window. */
#define MCUBNN_BINARY_CONV2D_MDFA_SCRATCH_BYTES(kernel_height, kernel_width, channels)             \
    MCUBNN_MDFA_ROW_BYTES((kernel_height) * (kernel_width) * (((channels) + 31u) / 32u))

/** Convolution of a map of bits with binary weights.
 *
 *  Computes what mcubnn_binary_conv2d() computes with the same pad_value. Exact zeros around the
 *  map are for the output stage: with pad_value -1, a sum has the weights outside the map
 *  subtracted; position classes, one for each set of taps outside, add them again. Until the output
 *  stage, neither time nor addresses depend on the input's values.
 *
 *  @param context buffer of MCUBNN_BINARY_CONV2D_MDFA_SCRATCH_BYTES(window, input channels)
 *  @param params  geometry, constants and output stage
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  as output_stage says, [output.height][output.width][channels]; must not
 *                 overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension, stride or dilation is 0, pad_value
 *                                is neither -1 nor 1, or output stage or pool are invalid; nothing
 *                                is written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_conv2d_mdfa(const mcubnn_context *context,
                                        const mcubnn_binary_conv2d_mdfa_params *params,
                                        const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
