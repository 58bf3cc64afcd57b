#include "f2c_core.h"

#if !MCUBNN_F2C_THUMB1 && !MCUBNN_F2C_THUMB2

void mcubnn_f2c_list(mcubnn_f2c_lists *lists, const uint32_t *pixels, uint32_t count,
                     uint32_t quads) {
    const uint32_t words = ((4u * quads) + MCUBNN_WORD_BITS - 1u) / MCUBNN_WORD_BITS;
    for (uint32_t pixel = 0u; pixel < count; ++pixel) {
        for (uint32_t channel = 0u; channel < 4u * quads; ++channel) {
            const uint16_t entry = (uint16_t)lists->next;
            if (mcubnn_bit_is_set(pixels, channel)) {
                *lists->set_end = entry;
                ++lists->set_end;
            } else {
                --lists->unset_begin;
                *lists->unset_begin = entry;
            }
            ++lists->next;
        }
        *lists->starts = (uint16_t)(lists->set_end - lists->entries);
        ++lists->starts;
        pixels += words;
    }
}

/** Add 1 in the channels whose bit is set: a ripple through the planes, lowest first. */
static void count_channels(uint32_t *planes, uint32_t channels) {
    uint32_t carry = channels;
    for (uint32_t k = 0u; carry != 0u; ++k) {
        const uint32_t both = planes[k] & carry;
        planes[k] ^= carry;
        carry = both;
    }
}

/** The channels in which the number in the planes is at least the threshold.
 *
 *  a >= b is the carry out of a + ~b + 1: from bit to bit the majority of both bits and the carry.
 */
static uint32_t reached(const uint32_t *planes, const uint32_t *complement, uint32_t count) {
    uint32_t carry = UINT32_MAX;
    for (uint32_t k = 0u; k < count; ++k) {
        carry ^= (planes[k] ^ carry) & (complement[k] ^ carry);
    }
    return carry;
}

void mcubnn_f2c_sum(const mcubnn_f2c_job *job) {
    const uint32_t count = MCUBNN_F2C_BASE_PLANES + job->high_planes;
    const uint32_t *thresholds = job->planes;
    uint32_t planes[MCUBNN_F2C_BASE_PLANES + MCUBNN_F2C_MOST_HIGH_PLANES];
    uint32_t word = 0u;
    for (uint32_t *output = job->output; output != job->output_end; ++output) {
        for (uint32_t k = 0u; k < count; ++k) {
            planes[k] = 0u - ((job->start >> k) & 1u);
        }
        for (const mcubnn_f2c_segment *s = job->segments; s != job->segments_end; ++s) {
            const uint32_t *weights = s->weights + (word * job->weight_words);
            for (uint32_t i = 0u; i < s->count; ++i) {
                count_channels(&planes[1], weights[s->entries[i] - s->origin]);
            }
        }
        *output = reached(planes, thresholds, count) ^ job->invert;
        thresholds += count;
        ++word;
    }
}

#else

/* ISO C wants a declaration in every file; the functions are in thumb1/ or thumb2/. */
typedef mcubnn_f2c_job mcubnn_f2c_unused;

#endif
