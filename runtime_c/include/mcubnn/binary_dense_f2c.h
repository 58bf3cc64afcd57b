/** @file binary_dense_f2c.h
 *  Fully connected layer of bits with binary weights: the fast variant with bits as output.
 */
#ifndef MCUBNN_BINARY_DENSE_F2C_H
#define MCUBNN_BINARY_DENSE_F2C_H

#include "mcubnn/f2c.h"
#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_dense_f2c(). */
typedef struct {
    mcubnn_dims input;
    uint16_t output_channels;
    mcubnn_f2c_tables tables; /**< one class; entries are [input.height][input.width][channel] */
} mcubnn_binary_dense_f2c_params;

/** Scratch of mcubnn_binary_dense_f2c(): a list of all inputs, and its length after each pixel. */
#define MCUBNN_BINARY_DENSE_F2C_SCRATCH_BYTES(height, width, channels)                             \
    ((((height) * (width) * (1u + (((channels) + 3u) / 4u * 4u)) * 2u) + 3u) / 4u * 4u)

/** Fully connected layer of bits with binary weights.
 *
 *  Computes what mcubnn_binary_dense() computes with thresholds as output stage. Time depends on
 *  the number of set inputs and is greatest where half of them are.
 *
 *  @param context buffer of MCUBNN_BINARY_DENSE_F2C_SCRATCH_BYTES(input's dimensions)
 *  @param params  geometry and constants
 *  @param input   bits, [input.height][input.width][words], at most 65536 entry channels in all,
 *                 with Thumb-1 at most 16384
 *  @param output  bits, [words of output_channels]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension is 0, or there are too many entries
 *                                or planes; nothing is written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_dense_f2c(const mcubnn_context *context,
                                      const mcubnn_binary_dense_f2c_params *params,
                                      const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
