/** @file f2c_core.h
 *  Sums of binary products by walking lists of activations: the method and its inner core.
 *
 *  Let a and w be bits that stand for +1 (1) and -1 (0), K of each. The set activations decide the
 *  sum S of their products: with n set activations, P of which have weight 1, and the constant
 *  T = sum of the weights' values,
 *
 *      S = 2 (2 P - n) - T          and, with n unset activations, P of which have weight 1,
 *      S = T - 2 (2 P - n).
 *
 *  So only P is counted, over a list of the set or of the unset activations, whichever is shorter:
 *  never more than K / 2 of them. A weight word holds one input's weights for 32 output channels,
 *  and P is counted in all 32 at once, bit-sliced: bit c of counter plane k is bit k of the count
 *  of channel c. S >= threshold becomes a comparison of 2 P - n with a constant. Both sides are
 *  shifted by `offset` >= K / 2 to be positive. The planes therefore start at offset - n, the same
 *  number in every channel; its lowest bit never changes, and plane k + 1 counts what P counts in
 *  bit k. The comparison is bit-sliced too, against constant planes that hold, for each channel and
 *  each side (set, unset), the complement of the smallest number that reaches the threshold. When
 *  the unset activations were walked, its result is inverted.
 *
 *  Lists: entry e of a list is the input whose weight word is number e. A list is a partition in
 *  one array of all inputs: the set ones from the left end up, the unset ones from the right end
 *  down. Channels are padded to a multiple of 4, the surplus being constant -1 with weight -1.
 *
 *  The core is mcubnn_f2c_list() and mcubnn_f2c_sum(). Each has one implementation per instruction
 *  set (src/thumb1/, src/thumb2/, src/mve/) and one in C (f2c_core.c) for all others. What an
 *  entry's 16 bits are is theirs alone; kernels only move pointers to entries.
 */
#ifndef MCUBNN_F2C_CORE_H
#define MCUBNN_F2C_CORE_H

#include <stdint.h>

#include "bits.h"
#include "f2c_layout.h"
#include "mcubnn/f2c.h"

/** A run of entries of one list. */
typedef struct {
    const uint16_t *entries; /**< the first */
    uint32_t count;          /**< may be 0 */
    const uint32_t *weights; /**< weight word of entry `origin`, first word of output channels */
    uint32_t origin;         /**< number of the entry that `weights` belongs to */
} mcubnn_f2c_segment;

/** All output channels of one pixel. */
typedef struct {
    const mcubnn_f2c_segment *segments;
    const mcubnn_f2c_segment *segments_end;
    const uint32_t *planes; /**< complemented thresholds, [output word][plane] */
    uint32_t high_planes;   /**< planes per output word beyond MCUBNN_F2C_BASE_PLANES */
    uint32_t start;         /**< offset - sum of the segments' counts */
    uint32_t invert;        /**< 0, or all ones if the segments hold the unset activations */
    uint32_t weight_words;  /**< from one output word's weights to the next one's */
    uint32_t *output;
    uint32_t *output_end; /**< behind the last word */
} mcubnn_f2c_job;

/** A pair of lists that is being written. */
typedef struct {
    uint16_t *entries;     /**< start of the array */
    uint16_t *set_end;     /**< behind the last set entry */
    uint16_t *unset_begin; /**< the last unset entry */
    uint16_t *starts;      /**< gets, after each pixel, the number of set entries so far */
    uint32_t next;         /**< number of the next input */
} mcubnn_f2c_lists;

#if MCUBNN_F2C_THUMB1 || MCUBNN_F2C_THUMB2
_Static_assert(offsetof(mcubnn_f2c_job, high_planes) == MCUBNN_F2C_JOB_HIGH_PLANES, "assembly");
_Static_assert(offsetof(mcubnn_f2c_job, start) == MCUBNN_F2C_JOB_START, "assembly");
_Static_assert(offsetof(mcubnn_f2c_job, output_end) == MCUBNN_F2C_JOB_OUTPUT_END, "assembly");
_Static_assert(offsetof(mcubnn_f2c_lists, next) == MCUBNN_F2C_LISTS_NEXT, "assembly");
_Static_assert(sizeof(mcubnn_f2c_segment) == 16u, "assembly");
#endif

/** Enter pixels into lists.
 *
 *  @param lists  advanced; the array has room for 4 * quads * pixels more entries
 *  @param pixels bits, [count][words]; unused bits 0
 *  @param count  number of pixels
 *  @param quads  channels of a pixel / 4, rounded up; at least 1
 */
void mcubnn_f2c_list(mcubnn_f2c_lists *lists, const uint32_t *pixels, uint32_t count,
                     uint32_t quads);

/** Count and compare: all output words of a job. With MVE under another name: it needs more stack,
 *  which is counted by name.
 */
#if MCUBNN_F2C_MVE
#define MCUBNN_F2C_SUM mcubnn_f2c_sum_mve
#else
#define MCUBNN_F2C_SUM mcubnn_f2c_sum
#endif
void MCUBNN_F2C_SUM(const mcubnn_f2c_job *job);

/** Channels of a pixel in entries: a multiple of 4. */
static inline uint32_t mcubnn_f2c_entries_for(uint32_t channels) {
    return (channels + 3u) & ~3u;
}

/** Make the part of a job that is the same for all pixels; `segments_end` is left to the caller. */
static inline void mcubnn_f2c_job_init(mcubnn_f2c_job *job, const mcubnn_f2c_segment *segments,
                                       const mcubnn_f2c_tables *tables, uint32_t weight_words,
                                       uint32_t output_channels, uint32_t *output) {
    job->segments = segments;
    job->high_planes = (uint32_t)tables->planes_per_word - MCUBNN_F2C_BASE_PLANES;
    job->weight_words = weight_words;
    job->output = output;
    job->output_end = output + mcubnn_words_for(output_channels);
}

/** Compute one pixel.
 *
 *  @param job          its segments are set
 *  @param tables       thresholds
 *  @param threshold_class which of them
 *  @param count        entries in the segments
 *  @param unset        1 if they are the unset activations, else 0
 */
static inline void mcubnn_f2c_run(mcubnn_f2c_job *job, const mcubnn_f2c_tables *tables,
                                  uint32_t threshold_class, uint32_t count, uint32_t unset) {
    const uint32_t words = (uint32_t)(job->output_end - job->output);
    const uint32_t side = (2u * threshold_class) + unset;
    job->planes = tables->planes + (side * words * tables->planes_per_word);
    job->start = tables->offset - count;
    job->invert = 0u - unset;
    MCUBNN_F2C_SUM(job);
}

/** Most inputs under a window: their numbers fit 16 bits, for Thumb-1 4 times their numbers. */
#if MCUBNN_F2C_THUMB1
#define MCUBNN_F2C_MOST_ENTRIES 16384u
#else
#define MCUBNN_F2C_MOST_ENTRIES 65536u
#endif

/** a * b, or the greatest number if that is more than 32 bits hold. */
static inline uint32_t mcubnn_f2c_product(uint32_t a, uint32_t b) {
    const uint64_t product = (uint64_t)a * b;
    return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

/** The buffer is there and large enough. */
static inline bool mcubnn_f2c_scratch_is_valid(const mcubnn_context *context, uint32_t bytes) {
    return context != NULL && context->buffer != NULL && context->size_bytes >= bytes;
}

/** The tables can be used. */
static inline bool mcubnn_f2c_tables_are_valid(const mcubnn_f2c_tables *tables) {
    return tables->weights != NULL && tables->planes != NULL &&
           tables->planes_per_word >= MCUBNN_F2C_BASE_PLANES &&
           tables->planes_per_word <= MCUBNN_F2C_BASE_PLANES + MCUBNN_F2C_MOST_HIGH_PLANES;
}

#endif
