/** @file f2c.h
 *  Constants that all f2c kernels share. f2c: binary products summed by walking a list of the set
 *  (or, if they are fewer, the unset) activations and counting in 32 output channels at once.
 */
#ifndef MCUBNN_F2C_H
#define MCUBNN_F2C_H

#include "mcubnn/types.h"

/** Weights and thresholds as the compiler prepares them.
 *
 *  Entry channels are the input channels rounded up to a multiple of 4; a surplus channel counts
 *  as constant -1 with weight -1. Bit c of word o belongs to output channel 32 * o + c; channels
 *  whose output is flipped have negated weights.
 *
 *  A threshold is stored as planes_per_word words, the complement of bit 0 first. It is the
 *  smallest value of offset + 2 * P - n that gives 1 (set activations) or, the result being
 *  inverted, 0 (unset activations); P is the number of set weights among the n listed activations.
 */
typedef struct {
    const uint32_t *weights;  /**< [output word][kernel_h][kernel_w][entry channel] */
    const uint32_t *planes;   /**< [class][set, unset][output word][plane] */
    uint16_t planes_per_word; /**< 9..17, at least the bits of 2 * offset + 1 */
    uint32_t offset;          /**< at least half the entries under one window */
} mcubnn_f2c_tables;

#endif
