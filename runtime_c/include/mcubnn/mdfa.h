/** @file mdfa.h
 *  What all mdfa kernels share. mdfa: XNOR products whose differing bits are counted by full adders
 *  (majority and difference of the addends instead of their sum).
 *
 *  Inputs and weights are rows of running parities: of the words of a vector, each one's exclusive
 *  or with all before it. The last is there twice if the number of words is 3 more than a multiple
 *  of 4.
 */
#ifndef MCUBNN_MDFA_H
#define MCUBNN_MDFA_H

#include "mcubnn/types.h"

/** Bytes of the row of so many words. */
#define MCUBNN_MDFA_ROW_BYTES(words) ((words) % 4u == 3u ? 4u * ((words) + 1u) : 4u * (words))

#endif
