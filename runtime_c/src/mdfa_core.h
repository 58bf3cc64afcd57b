/** @file mdfa_core.h
 *  Counting the differing bits of two bit vectors with full adders; used by the mdfa kernels.
 *
 *  A popcount of every word costs 9 operations. Adding words into planes with full adders costs
 *  about half of that (full_adders.h); a plane holds one binary digit of 32 counters, one per bit
 *  position. Only the few planes that remain are popcounted, all in one go.
 *
 *  The plane of weight 1 is the parity of all words so far, and all that its adders need are
 *  parities. So both vectors are stored as running parities, word k being the XOR of words 0..k:
 *  their XOR is the running parity of the differences, and adding four words takes 6 operations.
 *  A repeated parity is a word without differences; so rows can be padded to whole fours.
 */
#ifndef MCUBNN_MDFA_CORE_H
#define MCUBNN_MDFA_CORE_H

#include "bits.h"
#include "mcubnn/types.h"

/** Whether thumb2/mdfa_sums.S is for this core. */
#if defined(__ARM_ARCH_PROFILE) && defined(__ARM_ARCH_ISA_THUMB)
#define MCUBNN_MDFA_THUMB2 (__ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 2)
#else
#define MCUBNN_MDFA_THUMB2 0
#endif

/** Words of a row: those of the vector, and the last parity repeated up to a multiple of 4. */
static inline uint32_t mcubnn_mdfa_row_words(uint32_t words) {
    return (words + 3u) & ~3u;
}

/** Write a row of running parities.
 *
 *  @param row   gets mcubnn_mdfa_row_words(count) words
 *  @param words the vector
 *  @param count its words
 */
static inline void mcubnn_mdfa_row(uint32_t *row, const uint32_t *words, uint32_t count) {
    uint32_t parity = 0u;
    for (uint32_t i = 0u; i < count; ++i) {
        parity ^= words[i];
        row[i] = parity;
    }
    for (uint32_t i = count; i % 4u != 0u; ++i) {
        row[i] = parity;
    }
}

/** Sums of products of values -1 and +1: inputs - 2 * differing bits, for each row of weights.
 *
 *  @param row     the input
 *  @param weights [count][words]
 *  @param words   of a row, a multiple of 4, at least 4
 *  @param inputs  values in a row
 *  @param count   number of rows, at least 1
 *  @param sums    gets one sum per row
 */
void mcubnn_mdfa_sums(const uint32_t *row, const uint32_t *weights, uint32_t words, int32_t inputs,
                      uint32_t count, int32_t *sums);

#endif
