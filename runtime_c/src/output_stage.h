/** @file output_stage.h
 *  The last step of every summing kernel: int32 sums to bits, int8 or scores.
 */
#ifndef MCUBNN_OUTPUT_STAGE_H
#define MCUBNN_OUTPUT_STAGE_H

#include "bits.h"
#include "mcubnn/types.h"
#include "pooled.h"

/** Write the channels first_channel .. first_channel + count - 1 of one output pixel.
 *
 *  Kernels compute a pixel in blocks of MCUBNN_WORD_BITS channels, so that a block is one word of
 *  bits. The unused bits of a pixel's last word become 0.
 *
 *  @param stage         valid, see mcubnn_output_stage_is_valid()
 *  @param pixel         index of the output pixel, row by row; 0 for a vector
 *  @param first_channel a multiple of MCUBNN_WORD_BITS
 *  @param count         1 .. MCUBNN_WORD_BITS
 *  @param sums          one per channel of the block
 *  @param output        start of the whole output tensor, aligned to its element type
 */
void mcubnn_output_stage_write(const mcubnn_output_stage *stage, uint32_t pixel,
                               uint32_t first_channel, uint32_t count, const int32_t *sums,
                               void *output);

/** The pixels of a convolution's map, one after the other, and where they go. */
typedef struct {
    const mcubnn_bit_max_pool_params *pool; /**< that they are folded into, or NULL */
    const mcubnn_dims *map;
    void *output; /**< the map, or with a pool the pool's output */
    mcubnn_pool_walk rows;
    mcubnn_pool_walk columns;
} mcubnn_output_walk;

/** Begin with the first row, and make the output ready for folding. */
mcubnn_output_walk mcubnn_output_walk_of(const mcubnn_bit_max_pool_params *pool,
                                         const mcubnn_dims *map, void *output);

/** As mcubnn_output_stage_write() for the pixel of a walk; with a pool, the stage writes bits. */
void mcubnn_output_walk_write(const mcubnn_output_walk *walk, const mcubnn_output_stage *stage,
                              uint32_t first_channel, uint32_t count, const int32_t *sums);

#endif
