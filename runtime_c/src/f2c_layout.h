/** @file f2c_layout.h
 *  Offsets in bytes into the structs of f2c_core.h on a 32-bit core, for C and assembly.
 */
#ifndef MCUBNN_F2C_LAYOUT_H
#define MCUBNN_F2C_LAYOUT_H

/** Whether src/thumb1 or src/thumb2 has this core's inner loops: a Cortex-M with that set. */
#if defined(__ARM_ARCH_PROFILE) && defined(__ARM_ARCH_ISA_THUMB)
#if __ARM_ARCH_PROFILE == 'M'
#define MCUBNN_F2C_THUMB1 (__ARM_ARCH_ISA_THUMB == 1)
#define MCUBNN_F2C_THUMB2 (__ARM_ARCH_ISA_THUMB == 2)
#endif
#endif
#ifndef MCUBNN_F2C_THUMB1
#define MCUBNN_F2C_THUMB1 0
#define MCUBNN_F2C_THUMB2 0
#endif

/** Whether src/mve has the sums: the core has MVE, and the compiler may use it. */
#if MCUBNN_F2C_THUMB2 && defined(__ARM_FEATURE_MVE)
#define MCUBNN_F2C_MVE 1
#else
#define MCUBNN_F2C_MVE 0
#endif

/** Counter planes that every threshold has: one scalar plane and the weights 1, 2, 4, .. 128. */
#define MCUBNN_F2C_BASE_PLANES 9

/** Counter planes above them: with these, 2^17 - 1 sums can be told apart. */
#define MCUBNN_F2C_MOST_HIGH_PLANES 8

/* mcubnn_f2c_job */
#define MCUBNN_F2C_JOB_SEGMENTS 0
#define MCUBNN_F2C_JOB_SEGMENTS_END 4
#define MCUBNN_F2C_JOB_PLANES 8
#define MCUBNN_F2C_JOB_HIGH_PLANES 12
#define MCUBNN_F2C_JOB_START 16
#define MCUBNN_F2C_JOB_INVERT 20
#define MCUBNN_F2C_JOB_WEIGHT_WORDS 24
#define MCUBNN_F2C_JOB_OUTPUT 28
#define MCUBNN_F2C_JOB_OUTPUT_END 32

/* mcubnn_f2c_lists */
#define MCUBNN_F2C_LISTS_ENTRIES 0
#define MCUBNN_F2C_LISTS_SET_END 4
#define MCUBNN_F2C_LISTS_UNSET_BEGIN 8
#define MCUBNN_F2C_LISTS_STARTS 12
#define MCUBNN_F2C_LISTS_NEXT 16

#endif
