/* void mcubnn_f2c_sum_mve(const mcubnn_f2c_job *job), for Cortex-M with MVE; see ../f2c_core.h.
 *
 * The counting of ../thumb2/f2c_sum.S, explained there, in four lanes: each lane of a vector counts
 * every fourth entry of a list, for the same 32 output channels. Four entries are loaded together,
 * and their weight words gathered. At the end the four counts of each channel are added.
 *
 * A block of 32 vectors, 128 list entries, is a tree: 16 full adders fill the plane of weight 1; 8, 4
 * and 2 more fill the planes of weight 2, 4 and 8; the last pair is added to the plane of weight 16.
 * Its carry runs through all planes above, because a test whether there is one would cost as much.
 * A segment begins in the middle of a block, with one to four vectors, the first of which may have
 * less than four entries; everything that the skipped part would have left behind is zero.
 *
 * Eight vectors are few: only the plane of weight 1 stays in one. All other planes, and the pairs of
 * carries that wait, are on the stack.
 */
#include "../f2c_layout.h"

#if MCUBNN_F2C_MVE

        .syntax unified
        .thumb

list    .req    r0              /* the current entry of the list */
base    .req    r5              /* weight word of entry 0 */
blocks  .req    r6              /* of the segment, still to do */
segment .req    r7              /* next segment */
high    .req    r8              /* planes of weight 256 and more */
levels  .req    r9              /* next plane of the thresholds */
output  .req    r10             /* next output word */
job     .req    r11
skip    .req    r12             /* bytes from the first output word's weights to this one's */

w0      .req    q0              /* four vectors of entries, then of weight words */
w1      .req    q1
w2      .req    q2
w3      .req    q3
ones    .req    q4              /* plane of weight 1 */
cx      .req    q5              /* a pair of carries */
cd      .req    q6
entries .req    q7

/* The stack frame, offsets in bytes. */
        .set    PLANES, 0               /* of weight 1 (not while counting), 2, 4, .. 32768 */
        .set    PLANE_2, 16
        .set    PLANE_4, 32
        .set    PLANE_8, 48
        .set    PLANE_16, 64
        .set    PLANE_32, 80
        .set    PLANE_64, 96
        .set    PLANE_128, 112
        .set    HIGH_PLANES, 128
        .set    PAIR_4, 256             /* a pair of carries of weight 4 that waits */
        .set    PAIR_8, 288
        .set    FRAME_BYTES, 324        /* with what is pushed a multiple of 8 */

/* Two full adders: plane z takes (x1, x1 ^ d1) and (x2, x2 ^ d2); the pair (cx, cd) is carried.
 * x1, d1, x2, d2 are spent; cx may be x1, cd may be d1 or x2.
 */
.macro FULL_ADDERS z, x1, d1, x2, d2, cx, cd
        veor    \x1, \x1, \z
        veor    \z, \z, \d1             /* sum of the first */
        vorr    \d1, \d1, \x1
        veor    \cx, \d1, \z            /* carry of the first */
        veor    \x2, \x2, \z
        vbic    \x2, \x2, \d2
        veor    \z, \z, \d2             /* sum of the second */
        veor    \cd, \d1, \x2           /* both carries' difference */
.endm

/* Load four entries and gather their weight words. */
.macro ONE words
        vldrh.u32 entries, [list], #8
        vldrw.u32 \words, [base, entries, uxtw #2]
.endm

/* Add four vectors to `ones`, the group number n of a block. A segment begins behind the loads. */
.macro FOUR n, cx, cd
        vldrh.u32 w1, [list], #8
        vldrh.u32 w2, [list], #8
        vldrh.u32 w3, [list], #8
        vldrh.u32 entries, [list], #8
        vldrw.u32 w0, [base, w1, uxtw #2]
        vldrw.u32 w1, [base, w2, uxtw #2]
        vldrw.u32 w2, [base, w3, uxtw #2]
        vldrw.u32 w3, [base, entries, uxtw #2]
.Lloaded_\n:
        veor    w1, w1, w0
        veor    w3, w3, w2
        FULL_ADDERS ones, w0, w1, w2, w3, \cx, \cd
.endm

/* Let the pair of carries wait. */
.macro WAIT pair
        vstrw.32 cx, [sp, #\pair]
        vstrw.32 cd, [sp, #\pair + 16]
.endm

/* Add the pair that waits and (cx, cd) to a plane; carries in (cx, cd). */
.macro COMBINE plane, pair
        vldrw.u32 w0, [sp, #\pair]
        vldrw.u32 w1, [sp, #\pair + 16]
        vldrw.u32 w2, [sp, #\plane]
        FULL_ADDERS w2, cx, cd, w0, w1, cx, cd
        vstrw.32 w2, [sp, #\plane]
.endm

/* Add 8 vectors to the planes of weight 1 and 2; carries of weight 4 in (cx, cd). */
.macro EIGHT n0, n1
        FOUR    \n0, cx, cd
        FOUR    \n1, w0, w1
        vldrw.u32 w2, [sp, #PLANE_2]
        FULL_ADDERS w2, cx, cd, w0, w1, cx, cd
        vstrw.32 w2, [sp, #PLANE_2]
.endm

/* Add 16 vectors to the planes up to weight 4; carries of weight 8 in (cx, cd). */
.macro SIXTEEN n0, n1, n2, n3
        EIGHT   \n0, \n1
        WAIT    PAIR_4
        EIGHT   \n2, \n3
        COMBINE PLANE_4, PAIR_4
.endm

/* Add the carry cd to a plane; cd becomes the carry from there. */
.macro HALF_ADDER plane
        vldrw.u32 w0, [sp, #\plane]
        veor    w0, w0, cd
        vbic    cd, cd, w0
        vstrw.32 w0, [sp, #\plane]
.endm

        .section .mcubnn_hot.mcubnn_f2c_sum_mve, "ax", %progbits
        .balign 4
        .global mcubnn_f2c_sum_mve
        .type   mcubnn_f2c_sum_mve, %function
        .thumb_func
mcubnn_f2c_sum_mve:
        push    {r4-r11, lr}
        vpush   {d8-d15}
        sub     sp, sp, #FRAME_BYTES
        mov     job, r0
        ldr     levels, [job, #MCUBNN_F2C_JOB_PLANES]
        ldr     high, [job, #MCUBNN_F2C_JOB_HIGH_PLANES]
        ldr     output, [job, #MCUBNN_F2C_JOB_OUTPUT]
        mov     skip, #0

/* One output word. In one lane every plane starts as one bit of `start` in all channels, in the
 * others as zero; bit 0 never changes and is used in the comparison only.
 */
.Lnext_word:
        ldr     r1, [job, #MCUBNN_F2C_JOB_START]
        add     r2, high, #MCUBNN_F2C_BASE_PLANES - 1
        mov     r3, sp
        vmov.i32 q0, #0
        dls     lr, r2
.Lset_plane:
        sbfx    r4, r1, #1, #1
        lsrs    r1, r1, #1
        vmov.32 q0[0], r4
        vstrw.32 q0, [r3], #16
        le      lr, .Lset_plane
        vldrw.u32 ones, [sp, #PLANES]
        ldr     segment, [job, #MCUBNN_F2C_JOB_SEGMENTS]

/* One segment, of ceil(count / 4) vectors. It begins with the last of a block; (-vectors) % 32 are
 * skipped. In the group of four where it begins, zeros take the place of those that are skipped.
 */
.Lnext_segment:
        ldr     r1, [job, #MCUBNN_F2C_JOB_SEGMENTS_END]
        cmp     segment, r1
        beq.w   .Lcompare
        ldm     segment!, {r0, r1, r2, r3}      /* list, count, weights, origin */
        cmp     r1, #0
        beq     .Lnext_segment
        sub     base, r2, r3, lsl #2
        add     base, base, skip
        vmov.i32 cx, #0
        vmov.i32 cd, #0
        WAIT    PAIR_4
        WAIT    PAIR_8
        vmov.i32 w0, #0
        vmov.i32 w1, #0
        vmov.i32 w2, #0
        subs    r1, r1, #1              /* the vectors are a full one for each 4 of these */
        and     r2, r1, #3              /* and one of r2 + 1 entries, which is the first */
        lsrs    r1, r1, #2
        lsrs    blocks, r1, #5          /* blocks behind the one that is begun, plus 1 */
        adds    blocks, blocks, #1
        adds    r2, r2, #1
        vctp.32 r2
        vpstt
        vldrht.u32 entries, [list]
        vldrwt.u32 w3, [base, entries, uxtw #2]
        add     list, list, r2, lsl #1
        ubfx    r3, r1, #2, #3          /* whole groups behind the one where it begins */
        ands    r1, r1, #3              /* full vectors in that */
        beq     .Lbegin
        ONE     w2
        cmp     r1, #2
        blo     .Lbegin
        ONE     w1
        beq     .Lbegin
        ONE     w0
.Lbegin:
        tbh     [pc, r3, lsl #1]
.Lplaces:
        .irp    n, 7, 6, 5, 4, 3, 2, 1, 0
        .hword  (.Lloaded_\n - .Lplaces) / 2
        .endr

        .balign 4
.Lblock:
        SIXTEEN 0, 1, 2, 3
        WAIT    PAIR_8
        SIXTEEN 4, 5, 6, 7
        COMBINE PLANE_8, PAIR_8
        vldrw.u32 w0, [sp, #PLANE_16]   /* one full adder: (cx, cd) into plane 16 */
        veor    cx, cx, w0
        veor    w0, w0, cd
        vorr    cd, cd, cx
        veor    cd, cd, w0
        vstrw.32 w0, [sp, #PLANE_16]
        HALF_ADDER PLANE_32
        HALF_ADDER PLANE_64
        HALF_ADDER PLANE_128
        add     r1, sp, #HIGH_PLANES
        wls     lr, high, .Lblock_is_done
.Lhigh_plane:
        vldrw.u32 w0, [r1]
        veor    w0, w0, cd
        vbic    cd, cd, w0
        vstrw.32 w0, [r1], #16
        le      lr, .Lhigh_plane
.Lblock_is_done:
        subs    blocks, blocks, #1
        bne.w   .Lblock
        b       .Lnext_segment

/* Add the four lanes of the counters, a plane at a time: lanes 0 and 1, lanes 2 and 3, then both
 * sums. Which counters reach their threshold: the carry out of counter + ~threshold + 1, lowest
 * plane first. In bit 0 the carry is all ones, so that the majority is an OR.
 */
.Lcompare:
        vstrw.32 ones, [sp, #PLANES]
        ldr     r1, [job, #MCUBNN_F2C_JOB_START]
        ldr     r2, [levels], #4
        sbfx    r1, r1, #0, #1
        orrs    r2, r2, r1              /* carry of the comparison */
        mov     r3, sp
        movs    r6, #0                  /* carry of the last addition */
        vmov.i32 q3, #0                 /* carries of the first two, in lanes 0 and 2 */
        add     r1, high, #MCUBNN_F2C_BASE_PLANES - 1
        dls     lr, r1
.Lcompare_plane:
        vldrw.u32 q1, [r3, #4]          /* lane 1 in lane 0, lane 3 in lane 2 */
        vldrw.u32 q0, [r3], #16
        veor    q2, q0, q3
        veor    q0, q1, q3
        veor    q1, q1, q2              /* sums */
        vand    q0, q0, q2
        veor    q3, q3, q0              /* carries */
        vmov    r4, r5, q1[2], q1[0]
        eors    r4, r4, r6
        eor     r0, r5, r6
        eors    r5, r5, r4              /* sum */
        ands    r0, r0, r4
        eors    r6, r6, r0              /* carry */
        ldr     r1, [levels], #4
        eors    r5, r5, r2
        eors    r1, r1, r2
        ands    r5, r5, r1
        eors    r2, r2, r5
        le      lr, .Lcompare_plane
        ldr     r1, [job, #MCUBNN_F2C_JOB_INVERT]
        ldr     r3, [job, #MCUBNN_F2C_JOB_WEIGHT_WORDS]
        ldr     r4, [job, #MCUBNN_F2C_JOB_OUTPUT_END]
        eors    r2, r2, r1
        str     r2, [output], #4
        add     skip, skip, r3, lsl #2
        cmp     output, r4
        bne.w   .Lnext_word
        add     sp, sp, #FRAME_BYTES
        vpop    {d8-d15}
        pop     {r4-r11, pc}
        .size   mcubnn_f2c_sum_mve, . - mcubnn_f2c_sum_mve

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
