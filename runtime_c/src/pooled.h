/** @file pooled.h
 *  Max-pooling of a convolution's bits as they are computed, so that its map is never stored.
 *
 *  The pooling windows neither overlap nor leave the map, so a pixel of the map belongs to at most
 *  one pixel of the output. OR and AND may be done in any order: the output begins as what they do
 *  not change, and pixels are folded into it one by one.
 */
#ifndef MCUBNN_POOLED_H
#define MCUBNN_POOLED_H

#include "bits.h"
#include "mcubnn/bit_max_pool.h"

/** A walk over the rows or the columns of a map that are read by the windows of a pool; without a
 *  pool over all of them.
 */
typedef struct {
    uint32_t at;     /**< row or column of the map */
    uint32_t window; /**< row or column of the pool's output that it belongs to */
    uint32_t end;    /**< behind the window's last row or column */
    uint32_t size;   /**< rows or columns of a window */
    uint32_t gap;    /**< rows or columns between two windows */
} mcubnn_pool_walk;

/** Begin at the first row or column.
 *
 *  @param kernel, stride of the pool along the axis
 */
static inline mcubnn_pool_walk mcubnn_pool_walk_of(uint32_t kernel, uint32_t stride) {
    const mcubnn_pool_walk walk = {
        .at = 0u, .window = 0u, .end = kernel, .size = kernel, .gap = stride - kernel};
    return walk;
}

/** Rows of a map; pool may be NULL. */
static inline mcubnn_pool_walk mcubnn_pool_rows(const mcubnn_bit_max_pool_params *pool,
                                                const mcubnn_dims *map) {
    return pool == NULL
               ? mcubnn_pool_walk_of(map->height, map->height)
               : mcubnn_pool_walk_of(pool->window.kernel_height, pool->window.stride_height);
}

/** Columns of a map; pool may be NULL. */
static inline mcubnn_pool_walk mcubnn_pool_columns(const mcubnn_bit_max_pool_params *pool,
                                                   const mcubnn_dims *map) {
    return pool == NULL ? mcubnn_pool_walk_of(map->width, map->width)
                        : mcubnn_pool_walk_of(pool->window.kernel_width, pool->window.stride_width);
}

/** Go to the next row or column. */
static inline void mcubnn_pool_step(mcubnn_pool_walk *walk) {
    ++walk->at;
    if (walk->at == walk->end) {
        ++walk->window;
        walk->at += walk->gap;
        walk->end = walk->at + walk->size;
    }
}

/** Go to the first row or column from `place` on. */
static inline void mcubnn_pool_seek(mcubnn_pool_walk *walk, uint32_t place) {
    const uint32_t stride = walk->size + walk->gap;
    walk->window = place / stride;
    walk->at = place;
    if (place - (walk->window * stride) >= walk->size) {
        ++walk->window;
        walk->at = walk->window * stride;
    }
    walk->end = (walk->window * stride) + walk->size;
}

/** The pixel of the pool's output that a pixel of the map is folded into; NULL without a pool. */
static inline uint32_t *mcubnn_pool_target(const mcubnn_bit_max_pool_params *pool,
                                           const mcubnn_pool_walk *rows,
                                           const mcubnn_pool_walk *columns, uint32_t *output) {
    if (pool == NULL) {
        return NULL;
    }
    const uint32_t pixel = (rows->window * pool->output.width) + columns->window;
    return output + (pixel * mcubnn_words_for(pool->output.channels));
}

/** The bits of a pooled word, given one more of those under its window: OR, and AND in the channels
 *  of `minimum`. Where a bit differs from that of `minimum` it decides, else it changes nothing.
 */
static inline uint32_t mcubnn_pool_word(uint32_t pooled, uint32_t bits, uint32_t minimum) {
    return pooled ^ ((pooled ^ bits) & (bits ^ minimum));
}

/** The channels of a word that take the minimum. */
static inline uint32_t mcubnn_pool_minimum(const mcubnn_bit_max_pool_params *pool, uint32_t word) {
    return pool->minimum == NULL ? 0u : pool->minimum[word];
}

/** Fold a pixel of `words` words into a pixel of the output. */
static inline void mcubnn_pool_pixel(const mcubnn_bit_max_pool_params *pool, const uint32_t *bits,
                                     uint32_t words, uint32_t *pooled) {
    const uint32_t *minimum = pool->minimum;
    if (minimum == NULL) {
        for (uint32_t word = 0u; word < words; ++word) {
            pooled[word] |= bits[word];
        }
        return;
    }
    for (uint32_t word = 0u; word < words; ++word) {
        pooled[word] = mcubnn_pool_word(pooled[word], bits[word], minimum[word]);
    }
}

/** Fill the output with what folding does not change; without a pool do nothing. */
void mcubnn_pool_begin(const mcubnn_bit_max_pool_params *pool, uint32_t *output);

/** No pool, or one whose windows are as said above, the last ones ending where the map does. */
bool mcubnn_pool_is_valid(const mcubnn_bit_max_pool_params *pool, const mcubnn_dims *map);

#endif
