/** @file input_conv2d_tab_core.h
 *  The inner loops of mcubnn_input_conv2d_tab(): in assembly for Cortex-M, else in C.
 *
 *  A quad is four words, for eight pixels: pixel i in the low and pixel i + 4 in the high half of
 *  word i. A word is low + 65536 * high modulo 2^32 with signed low and high, so additions treat
 *  both pixels exactly although a borrow of the low half shows in the high one; the start values
 *  make the low half of a finished sum non-negative, which ends the borrow.
 */
#ifndef MCUBNN_INPUT_CONV2D_TAB_CORE_H
#define MCUBNN_INPUT_CONV2D_TAB_CORE_H

#include <stdint.h>

/** Words of a quad. */
#define MCUBNN_TAB_QUAD_WORDS 4u

/** Channels that mcubnn_input_conv2d_tab_sum() finishes at a time. */
#define MCUBNN_TAB_BLOCK_CHANNELS 16u

/** Tabulate what a group of taps adds to a sum.
 *
 *  Quad s of the table becomes the sum of the taps' quads, tap k with plus sign if bit k of s is
 *  set and with minus sign if not. Word i of tap k's quad is pairs[k + i * step].
 *
 *  @param table 2^taps quads
 *  @param pairs taps + 3 * step words
 *  @param step  words from one pair of windows to its right neighbour
 *  @param taps  at least 1
 */
void mcubnn_input_conv2d_tab_expand(uint32_t *table, const uint32_t *pairs, uint32_t step,
                                    uint32_t taps);

/** Move words to lower addresses; the areas may overlap.
 *
 *  @param to, from where to and from where, to below from
 *  @param words    a multiple of 8, which all tables of whole rows are
 */
void mcubnn_input_conv2d_tab_slide(uint32_t *to, const uint32_t *from, uint32_t words);

/** The bits of eight pixels for all channels.
 *
 *  For each channel, in blocks of MCUBNN_TAB_BLOCK_CHANNELS: add the start quad and one quad per
 *  group, found at the byte offsets from tables. Bit 15 and bit 31 of the words are the pixels'
 *  bits; channel c of a block becomes bit c and bit 16 + c of the block's quad.
 *
 *  @param tables  quads
 *  @param offsets [block][channel][group] and one more
 *  @param groups  1 .. 31
 *  @param blocks  at least 1
 *  @param starts  [block][channel] quads
 *  @param bits    [block] quads
 */
void mcubnn_input_conv2d_tab_sum(const uint32_t *tables, const uint16_t *offsets, uint32_t groups,
                                 uint32_t blocks, const uint32_t *starts, uint32_t *bits);

#endif
