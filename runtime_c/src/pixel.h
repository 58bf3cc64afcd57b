/** @file pixel.h
 *  Reading 8-bit inputs, unsigned or signed, and adding them to sums.
 */
#ifndef MCUBNN_PIXEL_H
#define MCUBNN_PIXEL_H

#include "bits.h"
#include "mcubnn/types.h"

/** The bit that makes a stored byte negative: 0x80 for signed bytes, 0 for unsigned ones. */
static inline uint8_t mcubnn_pixel_sign_bit(mcubnn_pixel_type type) {
    return type == MCUBNN_PIXEL_S8 ? 0x80u : 0u;
}

/** Value of a stored byte. With s the sign bit, (byte ^ s) - s is byte for s = 0, and byte or
 *  byte - 256 for s = 0x80. */
static inline int32_t mcubnn_pixel_value(uint8_t byte, uint8_t sign_bit) {
    return (int32_t)(byte ^ sign_bit) - (int32_t)sign_bit;
}

/** Add a value to the sums whose bit in `weights` is set and subtract it from the others. */
static inline void mcubnn_add_signed(int32_t *sums, uint32_t count, uint32_t weights,
                                     int32_t value) {
    for (uint32_t i = 0u; i < count; ++i) {
        sums[i] += (weights & 1u) != 0u ? value : -value;
        weights >>= 1u;
    }
}

/** Sum of products of `count` bytes and weights. */
static inline int32_t mcubnn_dot_s8(const uint8_t *bytes, uint8_t sign_bit, const int8_t *weights,
                                    uint32_t count) {
    int32_t sum = 0;
    for (uint32_t i = 0u; i < count; ++i) {
        sum += mcubnn_pixel_value(bytes[i], sign_bit) * weights[i];
    }
    return sum;
}

#endif
