/** @file unpack_bits.h
 *  Bits as int8 values of -1 and +1.
 */
#ifndef MCUBNN_UNPACK_BITS_H
#define MCUBNN_UNPACK_BITS_H

#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_unpack_bits(). */
typedef struct {
    mcubnn_dims input;
} mcubnn_unpack_bits_params;

/** Bits as int8 values of -1 and +1.
 *
 *      value = bit ? +1 : -1
 *
 *  A vector is a map of one pixel.
 *
 *  @param context unused, may be NULL: the kernel needs no scratch
 *  @param params  shape
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  int8, [input.height][input.width][input.channels]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL or a dimension is 0; nothing is written
 */
mcubnn_status mcubnn_unpack_bits(const mcubnn_context *context,
                                 const mcubnn_unpack_bits_params *params, const uint32_t *input,
                                 void *output);

#ifdef __cplusplus
}
#endif

#endif
