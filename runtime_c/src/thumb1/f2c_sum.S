/* void mcubnn_f2c_sum(const mcubnn_f2c_job *job), for Cortex-M with Thumb-1 (Armv6-M and Armv8-M
 * Baseline); see ../f2c_core.h.
 *
 * The counting is that of ../thumb2/f2c_sum.S: a counter plane holds one binary digit of 32
 * counters, one per output channel, and two weight words x and y are added to a plane z by 32 full
 * adders at once. Two words of one weight travel as the pair (x, d) with d = x ^ y, and two full
 * adders in a row take two pairs and the plane, and give the new plane and one pair of carries. A
 * block of 64 list entries is a tree of such double adders.
 *
 * Thumb-1 computes in eight registers only and overwrites an operand. So a double adder is done in
 * two steps, FIRST and SECOND, that need the two pairs one after the other. Of the first pair just
 * one word remains, the half, until the second pair is there: three registers suffice for four
 * entries, and the halves and the planes from `fours` on wait in registers that only MOV reaches.
 *
 * An entry is its weight word's offset in bytes.
 */
#include "../f2c_layout.h"

#if MCUBNN_F2C_THUMB1

        .syntax unified
        .thumb

list    .req    r0              /* the current entry of the list */
base    .req    r2              /* weight word of entry 0 */
x       .req    r1              /* a pair, or entries and then their weight words */
d       .req    r3
t       .req    r4              /* temporary: a weight word or a plane */
h       .req    r5              /* half of a double adder into `twos` */
twos    .req    r6              /* planes of weight 1, 2, 4, 8 and 16 */
ones    .req    r7
fours   .req    r8
eights  .req    r10
sixteens .req   r12
half_4  .req    r9              /* halves of double adders into `fours`, `eights`, `sixteens` */
half_8  .req    r11
half_16 .req    lr

/* The stack frame, offsets in bytes. */
        .set    PLANE_32, 0             /* planes of weight 32, 64, 128 */
        .set    PLANE_64, 4
        .set    PLANE_128, 8
        .set    HIGH_PLANES, 12         /* planes of weight 256 and more: 8 */
        .set    SEGMENT, 44             /* next segment */
        .set    SEGMENTS_END, 48
        .set    LIST_END, 52            /* end of the current segment's entries */
        .set    WEIGHT_OFFSET, 56       /* bytes from the first output word's weights */
        .set    THRESHOLDS, 60          /* planes of the next comparison */
        .set    OUTPUT, 64              /* next output word */
        .set    JOB, 68
        .set    FRAME_BYTES, 76         /* a multiple of 8 with the 9 registers pushed */

/* Two full adders: plane z takes (x1, x1 ^ d1) by FIRST, then (x2, x2 ^ d2) by SECOND. The half
 * replaces d1. The pair of carries replaces (x2, half).
 */
.macro FIRST z, x1, d1
        eors    \x1, \x1, \z
        eors    \z, \z, \d1             /* sum of the first */
        orrs    \d1, \d1, \x1           /* its carry ^ its sum */
.endm

.macro SECOND z, x2, d2, half
        eors    \x2, \x2, \z
        bics    \x2, \x2, \d2           /* carry of the second ^ sum of the first */
        eors    \half, \half, \x2       /* both carries' difference */
        eors    \x2, \x2, \z            /* carry of the second */
        eors    \z, \z, \d2             /* sum of the second */
.endm

/* The same for planes and halves that wait in high registers. */
.macro FIRST_HIGH z, x1, d1, half
        mov     t, \z
        FIRST   t, \x1, \d1
        mov     \z, t
        mov     \half, \d1
.endm

.macro SECOND_HIGH z, x2, d2, half, low_half
        mov     t, \z
        mov     \low_half, \half
        SECOND  t, \x2, \d2, \low_half
        mov     \z, t
.endm

/* Add the weight words of entries n .. n + 3 to `ones`; carries in (x, half). A segment may begin
 * at any of them. A displacement reaches 32 entries only.
 */
.macro FOUR n, half
.Lentry_\n\()_0: ldrh x, [list, #2 * (\n % 32)]
.Lentry_\n\()_1: ldrh \half, [list, #2 * (\n % 32) + 2]
        ldr     x, [base, x]
        ldr     \half, [base, \half]
        eors    \half, \half, x
        FIRST   ones, x, \half
.Lentry_\n\()_2: ldrh x, [list, #2 * (\n % 32) + 4]
.Lentry_\n\()_3: ldrh t, [list, #2 * (\n % 32) + 6]
        ldr     x, [base, x]
        ldr     t, [base, t]
        eors    t, t, x
        SECOND  ones, x, t, \half
.endm

/* Add 8 entries to `ones` and `twos`; carries of weight 4 in (x, h). */
.macro EIGHT n0, n4
        FOUR    \n0, h
        FIRST   twos, x, h
        FOUR    \n4, d
        SECOND  twos, x, d, h
.endm

/* Add 16 entries to the planes up to `fours`; carries of weight 8 in (x, d). */
.macro SIXTEEN n0, n4, n8, n12
        EIGHT   \n0, \n4
        FIRST_HIGH fours, x, h, half_4
        EIGHT   \n8, \n12
        SECOND_HIGH fours, x, h, half_4, d
.endm

/* Add 32 entries to the planes up to `eights`; carries of weight 16 in (x, h). */
.macro THIRTY_TWO n0, n4, n8, n12, n16, n20, n24, n28
        SIXTEEN \n0, \n4, \n8, \n12
        FIRST_HIGH eights, x, d, half_8
        SIXTEEN \n16, \n20, \n24, \n28
        SECOND_HIGH eights, x, d, half_8, h
.endm

/* carry = majority of plane, complemented threshold and carry; spends plane and threshold. */
.macro COMPARE carry, plane, threshold
        eors    \plane, \plane, \carry
        eors    \threshold, \threshold, \carry
        ands    \plane, \plane, \threshold
        eors    \carry, \carry, \plane
.endm

/* to = bit n of `from` in all channels. */
.macro SPREAD to, from, n
        lsls    \to, \from, #31 - \n
        asrs    \to, \to, #31
.endm

        .section .mcubnn_hot.mcubnn_f2c_sum, "ax", %progbits
        .balign 4
        .global mcubnn_f2c_sum
        .type   mcubnn_f2c_sum, %function
        .thumb_func
mcubnn_f2c_sum:
        push    {r4-r7, lr}
        mov     r4, r8
        mov     r5, r9
        mov     r6, r10
        mov     r7, r11
        push    {r4-r7}
        sub     sp, sp, #FRAME_BYTES
        ldr     r1, [r0, #MCUBNN_F2C_JOB_PLANES]
        ldr     r2, [r0, #MCUBNN_F2C_JOB_OUTPUT]
        movs    r3, #0
        str     r0, [sp, #JOB]
        str     r1, [sp, #THRESHOLDS]
        str     r2, [sp, #OUTPUT]
        str     r3, [sp, #WEIGHT_OFFSET]
        b       .Lnext_word

/* Which counters reach their threshold: the carry out of counter + ~threshold + 1, lowest plane
 * first. In bit 0 the carry is all ones, so that the majority is an OR.
 */
.Lcompare:
        ldr     r0, [sp, #JOB]
        ldr     r1, [sp, #THRESHOLDS]
        ldr     r2, [r0, #MCUBNN_F2C_JOB_START]
        SPREAD  r2, r2, 0
        ldm     r1!, {r3, r4, r5}
        orrs    r2, r2, r3
        COMPARE r2, ones, r4
        COMPARE r2, twos, r5
        ldm     r1!, {r3, r4, r5}
        mov     r6, fours
        COMPARE r2, r6, r3
        mov     r6, eights
        COMPARE r2, r6, r4
        mov     r6, sixteens
        COMPARE r2, r6, r5
        ldm     r1!, {r3, r4, r5}
        ldr     r6, [sp, #PLANE_32]
        COMPARE r2, r6, r3
        ldr     r6, [sp, #PLANE_64]
        COMPARE r2, r6, r4
        ldr     r6, [sp, #PLANE_128]
        COMPARE r2, r6, r5
        ldr     r3, [r0, #MCUBNN_F2C_JOB_HIGH_PLANES]
        cmp     r3, #0
        beq     .Lword_is_done
        add     r4, sp, #HIGH_PLANES
.Lcompare_high_plane:
        ldm     r4!, {r5}
        ldm     r1!, {r6}
        COMPARE r2, r5, r6
        subs    r3, r3, #1
        bne     .Lcompare_high_plane
.Lword_is_done:
        ldr     r3, [r0, #MCUBNN_F2C_JOB_INVERT]
        ldr     r4, [sp, #OUTPUT]
        eors    r2, r2, r3
        stm     r4!, {r2}
        ldr     r3, [r0, #MCUBNN_F2C_JOB_OUTPUT_END]
        cmp     r4, r3
        beq     .Lreturn
        str     r1, [sp, #THRESHOLDS]
        str     r4, [sp, #OUTPUT]
        ldr     r3, [sp, #WEIGHT_OFFSET]
        ldr     r4, [r0, #MCUBNN_F2C_JOB_WEIGHT_WORDS]
        lsls    r4, r4, #2
        adds    r3, r3, r4
        str     r3, [sp, #WEIGHT_OFFSET]

/* One output word. Every plane starts as one bit of `start` in all channels; bit 0 never changes
 * and is used in the comparison only.
 */
.Lnext_word:                            /* r0: job */
        ldr     r1, [r0, #MCUBNN_F2C_JOB_START]
        SPREAD  ones, r1, 1
        SPREAD  twos, r1, 2
        SPREAD  r3, r1, 3
        mov     fours, r3
        SPREAD  r3, r1, 4
        mov     eights, r3
        SPREAD  r3, r1, 5
        mov     sixteens, r3
        SPREAD  r3, r1, 6
        str     r3, [sp, #PLANE_32]
        SPREAD  r3, r1, 7
        str     r3, [sp, #PLANE_64]
        SPREAD  r3, r1, 8
        str     r3, [sp, #PLANE_128]
        ldr     r2, [r0, #MCUBNN_F2C_JOB_HIGH_PLANES]
        cmp     r2, #0
        beq     .Lplanes_are_set
        add     r3, sp, #HIGH_PLANES
        lsrs    r1, r1, #9
.Lset_high_plane:
        SPREAD  r4, r1, 0
        stm     r3!, {r4}
        lsrs    r1, r1, #1
        subs    r2, r2, #1
        bne     .Lset_high_plane
.Lplanes_are_set:
        ldr     r5, [r0, #MCUBNN_F2C_JOB_SEGMENTS]
        ldr     r3, [r0, #MCUBNN_F2C_JOB_SEGMENTS_END]
        str     r3, [sp, #SEGMENTS_END]
        b       .Lcheck_segment

.Lreturn:
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r7}
        mov     r8, r4
        mov     r9, r5
        mov     r10, r6
        mov     r11, r7
        pop     {r4-r7, pc}

/* One segment. */
.Lnext_segment:
        ldr     r5, [sp, #SEGMENT]
        ldr     r3, [sp, #SEGMENTS_END]
.Lcheck_segment:                        /* r5: segment, r3: end of the segments */
        cmp     r5, r3
        beq     .Lcompare
        ldm     r5!, {r0, r1, r2, r3}   /* list, count, weights, origin */
        str     r5, [sp, #SEGMENT]
        lsls    r3, r3, #2
        subs    base, base, r3
        ldr     r3, [sp, #WEIGHT_OFFSET]
        adds    base, base, r3
        lsls    r3, r1, #1
        adds    r3, r3, list
        str     r3, [sp, #LIST_END]
        lsls    r3, r1, #26
        bne     .Lpart_of_block
        cmp     r1, #0
        beq     .Lnext_segment
        b       .Lblock

/* Begin with the last count % 64 entries of a block, the first being number n of it. What the
 * skipped ones would have left behind is that of weight words 0: halves equal to their planes, and
 * in a group of four, where an entry of a pair is missing, the offset of a word that is 0.
 */
.Lpart_of_block:
        rsbs    r3, r3, #0
        lsrs    r3, r3, #25             /* 2 n */
        adr     t, .Lentries
        ldrh    t, [t, r3]
        lsls    r3, r3, #26
        lsrs    r3, r3, #26             /* what was skipped of 32 entries */
        subs    list, list, r3
        lsls    r3, r3, #28             /* sign: the second four of eight entries */
        mov     h, ones
        bpl     .Lin_first_four
        mov     h, twos
.Lin_first_four:
        mov     d, ones
        mov     half_4, fours
        mov     half_8, eights
        mov     half_16, sixteens
        adr     x, .Lzero
        subs    x, x, base
.Lbegin:
        add     pc, pc, t

        .balign 4
.Lzero:
        .word   0
.Lentries:
        .irp    n, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60
        .hword  .Lentry_\n\()_0 - (.Lbegin + 4)
        .hword  .Lentry_\n\()_1 - (.Lbegin + 4)
        .hword  .Lentry_\n\()_2 - (.Lbegin + 4)
        .hword  .Lentry_\n\()_3 - (.Lbegin + 4)
        .endr

.Lblock:
        THIRTY_TWO 0, 4, 8, 12, 16, 20, 24, 28
        FIRST_HIGH sixteens, x, h, half_16
        adds    list, list, #64
        THIRTY_TWO 32, 36, 40, 44, 48, 52, 56, 60
        SECOND_HIGH sixteens, x, h, half_16, d
        ldr     t, [sp, #PLANE_32]      /* one full adder: (x, d) into plane 32 */
        eors    x, x, t
        eors    t, t, d
        str     t, [sp, #PLANE_32]
        orrs    d, d, x
        eors    d, d, t
        ldr     t, [sp, #PLANE_64]      /* a half adder: its carry into plane 64 */
        mov     x, t
        eors    t, t, d
        str     t, [sp, #PLANE_64]
        ands    d, d, x
        bne     .Lripple                /* seldom: some counter passes a multiple of 128 */
.Lblock_is_done:
        ldr     x, [sp, #LIST_END]
        adds    list, list, #64
        cmp     list, x
        beq     .Lsegment_is_done
        b       .Lblock
.Lsegment_is_done:
        b       .Lnext_segment

/* Half adders: carry d into the planes from weight 128 on, as far as it goes. */
.Lripple:
        add     h, sp, #PLANE_128
.Lripple_plane:
        ldr     t, [h]
        mov     x, t
        eors    t, t, d
        stm     h!, {t}
        ands    d, d, x
        bne     .Lripple_plane
        b       .Lblock_is_done
        .size   mcubnn_f2c_sum, . - mcubnn_f2c_sum

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
