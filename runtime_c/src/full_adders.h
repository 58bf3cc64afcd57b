/** @file full_adders.h
 *  Adding words bit by bit, 32 columns at once, into planes of binary digits.
 *
 *  A full adder puts two words x and y of a plane's weight into the plane z:
 *
 *      sum = z ^ x ^ y        stays in the plane
 *      carry = maj(z, x, y)   goes to the plane of twice the weight
 *
 *  Two words of equal weight always travel as a pair (x, x ^ y). In this form two full adders in a
 *  row need 8 operations instead of 10.
 */
#ifndef MCUBNN_FULL_ADDERS_H
#define MCUBNN_FULL_ADDERS_H

#include <stdint.h>

/** Two words x and y of equal weight. */
typedef struct {
    uint32_t first;  /**< x */
    uint32_t differ; /**< x ^ y */
} mcubnn_pair;

/** Half adder: the carry. */
static inline uint32_t mcubnn_add_word(uint32_t *plane, uint32_t word) {
    const uint32_t both = *plane & word;
    *plane ^= word;
    return both;
}

/** Full adder: the carry.
 *
 *  Where x and y differ the carry is the plane's old bit, else it is x. With the new plane s =
 *  z ^ d that is (d | (x ^ z)) ^ s: for d = 1 it is 1 ^ z ^ 1 = z, for d = 0 it is x ^ z ^ z = x.
 */
static inline uint32_t mcubnn_add_pair(uint32_t *plane, mcubnn_pair p) {
    const uint32_t kept = (p.first ^ *plane) | p.differ;
    *plane ^= p.differ;
    return kept ^ *plane;
}

/** Two full adders: both carries.
 *
 *  The first carry is a = kept ^ s, as in mcubnn_add_pair(). The second adder's is likewise
 *  c = s ^ ((x ^ s) & ~d). So a ^ c needs no s: it is kept ^ ((x ^ s) & ~d).
 */
static inline mcubnn_pair mcubnn_add_pairs(uint32_t *plane, mcubnn_pair p, mcubnn_pair q) {
    const uint32_t kept = (p.first ^ *plane) | p.differ;
    const uint32_t sum = *plane ^ p.differ;
    *plane = sum ^ q.differ;
    return (mcubnn_pair){.first = kept ^ sum, .differ = kept ^ ((q.first ^ sum) & ~q.differ)};
}

#endif
