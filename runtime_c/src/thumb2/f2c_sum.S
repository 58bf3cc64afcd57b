/* void mcubnn_f2c_sum(const mcubnn_f2c_job *job), for Cortex-M with Thumb-2; see ../f2c_core.h. With
 * MVE that of ../mve takes its place.
 *
 * Bit-sliced counting. A counter plane holds one binary digit of 32 counters, one per output
 * channel. Adding two weight words to a plane is 32 full adders at once:
 *
 *     sum = z ^ x ^ y        (stays in the plane)
 *     carry = maj(z, x, y)   (goes to the plane of twice the weight)
 *
 * Two words of one weight always travel as the pair (x, d) with d = x ^ y. Then two full adders in
 * a row take two pairs and the plane, and give the new plane and one pair of carries, in 8
 * operations and without a temporary register; see FULL_ADDERS.
 *
 * A block of 64 list entries is a tree: 32 full adders fill the plane of weight 1 from 64 words and
 * leave 32 carries; 16, 8, 4 and 2 more fill the planes of weight 2, 4, 8 and 16; the last pair is
 * added to the plane of weight 32 and its carry ripples through the planes above. A
 * segment whose count is no multiple of 64 begins in the middle of a block: the entry is chosen by
 * a table, and everything that the skipped part would have left behind is zero.
 */
#include "../f2c_layout.h"

#if MCUBNN_F2C_THUMB2 && !MCUBNN_F2C_MVE

        .syntax unified
        .thumb

/* Registers of the block; list and w0..w3 are low ones, which makes most instructions short. */
list    .req    r0              /* the current entry of the list */
w0      .req    r1              /* four entries, then their weight words */
w1      .req    r2
w2      .req    r3
w3      .req    r4
ones    .req    r5              /* planes of weight 1, 2, 4 and 8 */
twos    .req    r11
fours   .req    r12
eights  .req    lr
px      .req    r6              /* a pair that waits for its partner: carries of weight 2 */
pd      .req    r7
qx      .req    r9              /* the same for carries of weight 4 */
qd      .req    r10
base    .req    r8              /* weight word of entry 0 */

/* The stack frame, offsets in bytes. */
        .set    PLANES_16, 0            /* planes of weight 16, 32, 64, 128 */
        .set    HIGH_PLANES, 16         /* planes of weight 256 and more */
        .set    PAIR_8, 48              /* a pair of carries of weight 8 that waits */
        .set    PAIR_16, 56             /* the same of weight 16 */
        .set    SEGMENT, 64             /* next segment */
        .set    SEGMENTS_END, 68
        .set    LIST_END, 72            /* end of the current segment's entries */
        .set    WEIGHT_OFFSET, 76       /* bytes from the first output word's weights */
        .set    THRESHOLDS, 80          /* planes of the next comparison */
        .set    OUTPUT, 84              /* next output word */
        .set    JOB, 88
        .set    FRAME_BYTES, 92         /* a multiple of 8 with the 9 registers pushed */

/* Two full adders: plane z takes (x1, x1 ^ d1) and (x2, x2 ^ d2); the pair (cx, cd) is carried.
 * x1, d1, x2, d2 are spent; cx may be x1, cd may be d1 or x2.
 */
.macro FULL_ADDERS z, x1, d1, x2, d2, cx, cd
        eors    \x1, \x1, \z
        eors    \z, \z, \d1             /* sum of the first */
        orrs    \d1, \d1, \x1
        eors    \cx, \d1, \z            /* carry of the first */
        eors    \x2, \x2, \z
        bics    \x2, \x2, \d2
        eors    \z, \z, \d2             /* sum of the second */
        eors    \cd, \d1, \x2           /* both carries' difference */
.endm

/* Add the weight words of entries n .. n + 3 to `ones`. A segment may begin at any of them. */
.macro FOUR n, cx, cd
.Lentry_\n\()_0: ldrh w0, [list, #2 * \n]
.Lentry_\n\()_1: ldrh w1, [list, #2 * \n + 2]
.Lentry_\n\()_2: ldrh w2, [list, #2 * \n + 4]
.Lentry_\n\()_3: ldrh w3, [list, #2 * \n + 6]
        ldr     w0, [base, w0, lsl #2]
        ldr     w1, [base, w1, lsl #2]
        ldr     w2, [base, w2, lsl #2]
        ldr     w3, [base, w3, lsl #2]
        eors    w1, w1, w0
        eors    w3, w3, w2
        FULL_ADDERS ones, w0, w1, w2, w3, \cx, \cd
.endm

/* Add 16 entries to `ones`, `twos` and `fours`; carries of weight 8 in (qx, qd). */
.macro SIXTEEN n0, n4, n8, n12
        FOUR    \n0, px, pd
        FOUR    \n4, w0, w1
        FULL_ADDERS twos, px, pd, w0, w1, qx, qd
        FOUR    \n8, px, pd
        FOUR    \n12, w0, w1
        FULL_ADDERS twos, px, pd, w0, w1, px, pd
        FULL_ADDERS fours, qx, qd, px, pd, qx, qd
.endm

/* Add 32 entries to the planes up to `eights`; carries of weight 16 in (w0, w1). */
.macro THIRTY_TWO n0, n4, n8, n12, n16, n20, n24, n28
        SIXTEEN \n0, \n4, \n8, \n12
        strd    qx, qd, [sp, #PAIR_8]
        SIXTEEN \n16, \n20, \n24, \n28
        ldrd    w0, w1, [sp, #PAIR_8]
        FULL_ADDERS eights, w0, w1, qx, qd, w0, w1
.endm

/* carry = majority of plane, complemented threshold and carry; spends plane and threshold. */
.macro COMPARE carry, plane, threshold
        eors    \plane, \plane, \carry
        eors    \threshold, \threshold, \carry
        ands    \plane, \plane, \threshold
        eors    \carry, \carry, \plane
.endm

        .section .mcubnn_hot.mcubnn_f2c_sum, "ax", %progbits
        .balign 4
        .global mcubnn_f2c_sum
        .type   mcubnn_f2c_sum, %function
        .thumb_func
mcubnn_f2c_sum:
        push    {r4-r11, lr}
        sub     sp, sp, #FRAME_BYTES
        ldr     r1, [r0, #MCUBNN_F2C_JOB_PLANES]
        ldr     r2, [r0, #MCUBNN_F2C_JOB_OUTPUT]
        movs    r3, #0
        str     r3, [sp, #WEIGHT_OFFSET]
        strd    r1, r2, [sp, #THRESHOLDS]
        str     r0, [sp, #JOB]

/* One output word. Every plane starts as one bit of `start` in all channels; bit 0 never changes
 * and is used in the comparison only.
 */
.Lnext_word:                            /* r0: job */
        ldr     r1, [r0, #MCUBNN_F2C_JOB_START]
        sbfx    ones, r1, #1, #1
        sbfx    twos, r1, #2, #1
        sbfx    fours, r1, #3, #1
        sbfx    eights, r1, #4, #1
        sbfx    r6, r1, #5, #1
        sbfx    r7, r1, #6, #1
        sbfx    r9, r1, #7, #1
        sbfx    r10, r1, #8, #1
        stm     sp, {r6, r7, r9, r10}
        ldr     r2, [r0, #MCUBNN_F2C_JOB_HIGH_PLANES]
        cbz     r2, .Lplanes_are_set
        lsrs    r1, r1, #9
        add     r3, sp, #HIGH_PLANES
.Lset_high_plane:
        sbfx    r4, r1, #0, #1
        str     r4, [r3], #4
        lsrs    r1, r1, #1
        subs    r2, r2, #1
        bne     .Lset_high_plane
.Lplanes_are_set:
        ldrd    r2, r3, [r0, #MCUBNN_F2C_JOB_SEGMENTS]
        str     r3, [sp, #SEGMENTS_END]
        b       .Lcheck_segment

/* One segment. */
.Lnext_segment:
        ldrd    r2, r3, [sp, #SEGMENT]
.Lcheck_segment:                        /* r2: segment, r3: end of the segments */
        cmp     r2, r3
        beq.w   .Lcompare
        ldm     r2!, {r0, r1, r8, r9}   /* list, count, weights, origin */
        str     r2, [sp, #SEGMENT]
        ldr     r3, [sp, #WEIGHT_OFFSET]
        sub     base, base, r9, lsl #2
        add     base, base, r3
        add     r3, list, r1, lsl #1
        str     r3, [sp, #LIST_END]
        ands    r4, r1, #63
        beq     .Lwhole_blocks
/* Begin with the last r4 entries of a block, the first being number 64 - r4 of it. Where fewer
 * than four entries are left of a group, the missing ones name a word that is zero: PAIR_8.
 */
        rsb     r4, r4, #64
        sub     list, list, r4, lsl #1
        add     w0, sp, #PAIR_8
        subs    w0, w0, base
        lsrs    w0, w0, #2
        mov     w1, w0
        mov     w2, w0
        movs    px, #0
        movs    pd, #0
        mov     qx, px
        mov     qd, px
        strd    px, pd, [sp, #PAIR_8]
        strd    px, pd, [sp, #PAIR_16]
        tbh     [pc, r4, lsl #1]
.Lentries:
        .irp    n, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60
        .hword  (.Lentry_\n\()_0 - .Lentries) / 2
        .hword  (.Lentry_\n\()_1 - .Lentries) / 2
        .hword  (.Lentry_\n\()_2 - .Lentries) / 2
        .hword  (.Lentry_\n\()_3 - .Lentries) / 2
        .endr
.Lwhole_blocks:
        cmp     r1, #0
        beq     .Lnext_segment

        .balign 4
.Lblock:
        THIRTY_TWO 0, 4, 8, 12, 16, 20, 24, 28
        strd    w0, w1, [sp, #PAIR_16]
        THIRTY_TWO 32, 36, 40, 44, 48, 52, 56, 60
        ldrd    w2, w3, [sp, #PAIR_16]
        ldm     sp, {r6, r7, r9, r10}   /* planes of weight 16, 32, 64, 128 */
        FULL_ADDERS r6, w2, w3, w0, w1, w2, w3
        eors    w2, w2, r7              /* one full adder: (w2, w3) into plane 32 */
        eors    r7, r7, w3
        orrs    w3, w3, w2
        eors    w3, w3, r7
        ands    w2, w3, r9              /* half adders: its carry into planes 64 and 128 */
        eors    r9, r9, w3
        ands    w3, w2, r10
        eors    r10, r10, w2
        stm     sp, {r6, r7, r9, r10}
        cbnz    w3, .Lripple            /* seldom: some counter passes a multiple of 256 */
.Lblock_is_done:
        ldr     w0, [sp, #LIST_END]
        adds    list, list, #128
        cmp     list, w0
        bne.w   .Lblock
        b       .Lnext_segment

/* Half adders: carry w3 into the planes from weight 256 on, as far as it goes. */
.Lripple:
        add     w0, sp, #HIGH_PLANES
.Lripple_plane:
        ldr     w1, [w0]
        ands    w2, w1, w3
        eors    w1, w1, w3
        str     w1, [w0], #4
        movs    w3, w2
        bne     .Lripple_plane
        b       .Lblock_is_done

/* Which counters reach their threshold: the carry out of counter + ~threshold + 1, lowest plane
 * first. In bit 0 the carry is all ones, so that the majority is an OR.
 */
.Lcompare:
        ldr     r0, [sp, #JOB]
        ldr     r1, [sp, #THRESHOLDS]
        ldr     r2, [r0, #MCUBNN_F2C_JOB_START]
        sbfx    r2, r2, #0, #1
        ldm     r1!, {r3, r4, r6, r7, r8}
        orrs    r2, r2, r3
        COMPARE r2, ones, r4
        COMPARE r2, twos, r6
        COMPARE r2, fours, r7
        COMPARE r2, eights, r8
        ldm     r1!, {r3, r4, r6, r7}
        ldm     sp, {r8, r9, r10, r11}
        COMPARE r2, r8, r3
        COMPARE r2, r9, r4
        COMPARE r2, r10, r6
        COMPARE r2, r11, r7
        ldr     r3, [r0, #MCUBNN_F2C_JOB_HIGH_PLANES]
        cbz     r3, .Lword_is_done
        add     r4, sp, #HIGH_PLANES
.Lcompare_high_plane:
        ldr     r6, [r4], #4
        ldr     r7, [r1], #4
        COMPARE r2, r6, r7
        subs    r3, r3, #1
        bne     .Lcompare_high_plane
.Lword_is_done:
        ldr     r3, [r0, #MCUBNN_F2C_JOB_INVERT]
        ldr     r4, [sp, #OUTPUT]
        eors    r2, r2, r3
        str     r2, [r4], #4
        ldr     r3, [r0, #MCUBNN_F2C_JOB_OUTPUT_END]
        cmp     r4, r3
        beq     .Lreturn
        strd    r1, r4, [sp, #THRESHOLDS]
        ldr     r3, [sp, #WEIGHT_OFFSET]
        ldr     r4, [r0, #MCUBNN_F2C_JOB_WEIGHT_WORDS]
        add     r3, r3, r4, lsl #2
        str     r3, [sp, #WEIGHT_OFFSET]
        b       .Lnext_word
.Lreturn:
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r11, pc}
        .size   mcubnn_f2c_sum, . - mcubnn_f2c_sum

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
