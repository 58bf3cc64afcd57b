/** @file bits.h
 *  The bit convention of mcubnn/types.h in code; the only place with bit tricks.
 */
#ifndef MCUBNN_BITS_H
#define MCUBNN_BITS_H

#include <stdbool.h>
#include <stdint.h>

/** Channels in one word. */
#define MCUBNN_WORD_BITS 32u

/** Words that hold the bits of one pixel. */
static inline uint32_t mcubnn_words_for(uint32_t channels) {
    return (channels + MCUBNN_WORD_BITS - 1u) / MCUBNN_WORD_BITS;
}

/** Channels from `first` on that share one word, given the number of channels of a pixel. */
static inline uint32_t mcubnn_channels_in_word(uint32_t channels, uint32_t first) {
    const uint32_t rest = channels - first;
    return rest < MCUBNN_WORD_BITS ? rest : MCUBNN_WORD_BITS;
}

/** The bit of one channel of a pixel. */
static inline bool mcubnn_bit_is_set(const uint32_t *words, uint32_t channel) {
    const uint32_t word = words[channel / MCUBNN_WORD_BITS];
    return ((word >> (channel % MCUBNN_WORD_BITS)) & 1u) != 0u;
}

/** Number of bits set in each nibble: sums over pairs, then over pairs of these. */
static inline uint32_t mcubnn_nibble_sums(uint32_t word) {
    word -= (word >> 1u) & 0x55555555u;
    return (word & 0x33333333u) + ((word >> 2u) & 0x33333333u);
}

/** Number of bits set: sums over nibbles, then bytes; the product adds the bytes. */
static inline uint32_t mcubnn_popcount(uint32_t word) {
    word = mcubnn_nibble_sums(word);
    word = (word + (word >> 4u)) & 0x0F0F0F0Fu;
    return (word * 0x01010101u) >> 24u;
}

/** ones + 2 twos + 4 fours + 8 eights, each the number of bits set in a plane.
 *
 *  Each plane is summed over nibbles as in mcubnn_popcount(), up to 4; then ones and twos fit a
 *  nibble together (12), all four a byte (24 + 4 * 24), and the bytes are added in 16 bits.
 */
static inline uint32_t mcubnn_popcount_planes(uint32_t ones, uint32_t twos, uint32_t fours,
                                              uint32_t eights) {
    const uint32_t low = mcubnn_nibble_sums(ones) + (mcubnn_nibble_sums(twos) << 1u);
    const uint32_t high = mcubnn_nibble_sums(fours) + (mcubnn_nibble_sums(eights) << 1u);
    const uint32_t low_bytes = (low & 0x0F0F0F0Fu) + ((low >> 4u) & 0x0F0F0F0Fu);
    const uint32_t high_bytes = (high & 0x0F0F0F0Fu) + ((high >> 4u) & 0x0F0F0F0Fu);
    const uint32_t bytes = low_bytes + (high_bytes << 2u);
    const uint32_t halves = (bytes & 0x00FF00FFu) + ((bytes >> 8u) & 0x00FF00FFu);
    return (halves + (halves >> 16u)) & 0xFFFFu;
}

/** Number of bits set in an array. */
static inline uint32_t mcubnn_set_bits(const uint32_t *words, uint32_t count) {
    uint32_t bits = 0u;
    for (uint32_t i = 0u; i < count; ++i) {
        bits += mcubnn_popcount(words[i]);
    }
    return bits;
}

/** Number of bits in which two arrays differ. */
static inline uint32_t mcubnn_differing_bits(const uint32_t *a, const uint32_t *b, uint32_t count) {
    uint32_t bits = 0u;
    for (uint32_t i = 0u; i < count; ++i) {
        bits += mcubnn_popcount(a[i] ^ b[i]);
    }
    return bits;
}

/** Transpose square blocks of bits: afterwards bit i of word k is what bit k of word i was, in each
 *  group of `size` bits by itself.
 *
 *  @param words size of them
 *  @param size  8, 16 or 32
 */
static inline void mcubnn_transpose(uint32_t *words, uint32_t size) {
    uint32_t mask = 0x0000FFFFu; /* the lower halves of groups of 2 * half bits */
    for (uint32_t half = 16u; half != 0u; half /= 2u) {
        for (uint32_t k = 0u; half < size && k < size; k = (k + half + 1u) & ~half) {
            const uint32_t differ = ((words[k] >> half) ^ words[k + half]) & mask;
            words[k] ^= differ << half;
            words[k + half] ^= differ;
        }
        mask ^= mask << (half / 2u);
    }
}

/** floor(value / 2^shift) for shift 0..63.
 *
 *  C leaves >> of negative values to the compiler; GCC, Clang, Arm Compiler and IAR all shift
 *  arithmetically. Complementing negative values first makes the result theirs by definition:
 *  ~value is -value - 1, so ~(~value >> shift) rounds towards minus infinity.
 */
static inline int64_t mcubnn_shift_right_s64(int64_t value, uint32_t shift) {
    return value < 0 ? ~(~value >> shift) : value >> shift;
}

#endif
