/** @file f2t_core.h
 *  Bit-sliced counting in 32 lanes; used by mcubnn_binary_conv2d_f2t(). Time and addresses do not
 *  depend on the words that are counted.
 */
#ifndef MCUBNN_F2T_CORE_H
#define MCUBNN_F2T_CORE_H

#include <stdint.h>

#include "f2t_layout.h"

/** Add listed words to counters; a carry out of the last plane is lost.
 *
 *  @param counters gets the planes of the result, lowest first
 *  @param start    planes of the counters before; must not overlap counters
 *  @param planes   number of planes, MCUBNN_F2T_LEAST_PLANES .. MCUBNN_F2T_MOST_PLANES
 *  @param words    what the list's entries number
 *  @param list     entries
 *  @param eights   number of entries / 8, at least 1
 */
void mcubnn_f2t_sum(uint32_t *counters, const uint32_t *start, uint32_t planes,
                    const uint32_t *words, const uint16_t *list, uint32_t eights);

/** Compare counters with a threshold.
 *
 *  The lanes where counter + complement + 1 has a carry: from bit to bit the majority of both bits
 *  and the carry.
 *
 *  @param planes     lowest first
 *  @param complement of the threshold
 *  @param count      number of planes, at most MCUBNN_F2T_MOST_PLANES + 1
 *  @returns the lanes whose counter is at least the threshold
 */
uint32_t mcubnn_f2t_reached(const uint32_t *planes, uint32_t complement, uint32_t count);

#endif
