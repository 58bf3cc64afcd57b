/** @file f2t_layout.h
 *  What f2t_core.h's code in C and in assembly must agree on.
 */
#ifndef MCUBNN_F2T_LAYOUT_H
#define MCUBNN_F2T_LAYOUT_H

/** Whether thumb1/f2t_sum.S or thumb2/f2t_sum.S is for this core. */
#if defined(__ARM_ARCH_PROFILE) && defined(__ARM_ARCH_ISA_THUMB)
#define MCUBNN_F2T_THUMB1 (__ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 1)
#define MCUBNN_F2T_THUMB2 (__ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 2)
#else
#define MCUBNN_F2T_THUMB1 0
#define MCUBNN_F2T_THUMB2 0
#endif

/** Fewest and most planes that words are added to. */
#define MCUBNN_F2T_LEAST_PLANES 5
#define MCUBNN_F2T_MOST_PLANES 19

#endif
