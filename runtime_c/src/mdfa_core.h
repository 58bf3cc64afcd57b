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
 *  A repeated parity is a word without differences; so a row can be padded. One or two words that
 *  are left over need no adder: the planes start with them. Of two words with the parities p = a
 *  and q = a ^ b the sum is q and the carry p & ~q = a & b.
 */
#ifndef MCUBNN_MDFA_CORE_H
#define MCUBNN_MDFA_CORE_H

#include "bits.h"
#include "mcubnn/mdfa.h"

/** Whether one of thumb1/mdfa_sums.S and thumb2/mdfa_sums.S is for this core. */
#if defined(__ARM_ARCH_PROFILE) && defined(__ARM_ARCH_ISA_THUMB)
#define MCUBNN_MDFA_ASSEMBLY (__ARM_ARCH_PROFILE == 'M')
#else
#define MCUBNN_MDFA_ASSEMBLY 0
#endif

/** Words of a row, see mcubnn/mdfa.h: as they are added in fours, never three are left over. */
static inline uint32_t mcubnn_mdfa_row_words(uint32_t words) {
    return words % 4u == 3u ? words + 1u : words;
}

/** Where a row of running parities goes on. */
typedef struct {
    uint32_t *next;
    uint32_t parity; /**< of all words so far */
} mcubnn_mdfa_row;

/** Append a word of the vector. */
static inline void mcubnn_mdfa_append(mcubnn_mdfa_row *row, uint32_t word) {
    row->parity ^= word;
    *row->next = row->parity;
    ++row->next;
}

/** Append words of the vector. */
static inline void mcubnn_mdfa_append_words(mcubnn_mdfa_row *row, const uint32_t *words,
                                            uint32_t count) {
    for (uint32_t i = 0u; i < count; ++i) {
        mcubnn_mdfa_append(row, words[i]);
    }
}

/** Complete a row of so many words. */
static inline void mcubnn_mdfa_end(mcubnn_mdfa_row *row, uint32_t words) {
    if (mcubnn_mdfa_row_words(words) != words) {
        mcubnn_mdfa_append(row, 0u);
    }
}

/** Sums of products of values -1 and +1: inputs - 2 * differing bits, for each row of weights.
 *
 *  @param row     the input
 *  @param weights [count][words]
 *  @param words   of a row, as mcubnn_mdfa_row_words() gives them, at least 1
 *  @param inputs  values in a row
 *  @param count   number of rows, at least 1
 *  @param sums    gets one sum per row
 */
void mcubnn_mdfa_sums(const uint32_t *row, const uint32_t *weights, uint32_t words, int32_t inputs,
                      uint32_t count, int32_t *sums);

#endif
