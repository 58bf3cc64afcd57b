/** @file input_conv2d_tab_portable.c
 *  The inner loops of mcubnn_input_conv2d_tab() for processors without an assembly version.
 */
#include "input_conv2d_tab_core.h"

#if !defined(__ARM_ARCH_PROFILE) || __ARM_ARCH_PROFILE != 'M'

#define SIGN_BITS 0x80008000u

void mcubnn_input_conv2d_tab_expand(uint32_t *table, const uint32_t *pairs, uint32_t step,
                                    uint32_t taps) {
    for (uint32_t entry = 0u; entry < (1u << taps); ++entry) {
        uint32_t *quad = table + (entry * MCUBNN_TAB_QUAD_WORDS);
        for (uint32_t i = 0u; i < MCUBNN_TAB_QUAD_WORDS; ++i) {
            uint32_t sum = 0u;
            for (uint32_t tap = 0u; tap < taps; ++tap) {
                const uint32_t pair = pairs[tap + (i * step)];
                sum += ((entry >> tap) & 1u) != 0u ? pair : 0u - pair;
            }
            quad[i] = sum;
        }
    }
}

void mcubnn_input_conv2d_tab_slide(uint32_t *to, const uint32_t *from, uint32_t words) {
    for (uint32_t i = 0u; i < words; ++i) {
        to[i] = from[i];
    }
}

/** Sum the quads of one channel and shift its sign bits into the block's quad from the left. */
static void sum_channel(const uint32_t *tables, const uint16_t *offsets, uint32_t groups,
                        const uint32_t *start, uint32_t *bits) {
    for (uint32_t i = 0u; i < MCUBNN_TAB_QUAD_WORDS; ++i) {
        uint32_t sum = start[i];
        for (uint32_t group = 0u; group < groups; ++group) {
            sum += tables[(offsets[group] / sizeof(uint32_t)) + i];
        }
        bits[i] = (bits[i] >> 1u) | (sum & SIGN_BITS);
    }
}

void mcubnn_input_conv2d_tab_sum(const uint32_t *tables, const uint16_t *offsets, uint32_t groups,
                                 uint32_t blocks, const uint32_t *starts, uint32_t *bits) {
    for (uint32_t block = 0u; block < blocks; ++block) {
        for (uint32_t i = 0u; i < MCUBNN_TAB_QUAD_WORDS; ++i) {
            bits[i] = 0u;
        }
        for (uint32_t channel = 0u; channel < MCUBNN_TAB_BLOCK_CHANNELS; ++channel) {
            sum_channel(tables, offsets, groups, starts, bits);
            offsets += groups;
            starts += MCUBNN_TAB_QUAD_WORDS;
        }
        bits += MCUBNN_TAB_QUAD_WORDS;
    }
}

#endif
