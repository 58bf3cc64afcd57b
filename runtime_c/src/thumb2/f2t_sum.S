/* void mcubnn_f2t_sum(uint32_t *counters, const uint32_t *start, uint32_t planes,
 *                     const uint32_t *words, const uint16_t *list, uint32_t eights)
 * uint32_t mcubnn_f2t_reached(const uint32_t *planes, uint32_t complement, uint32_t count)
 *
 * For Cortex-M with Thumb-2; contract: ../f2t_core.h, the adders: ../full_adders.h.
 * Entries are added in blocks of 32, a tree as in f2c_sum.S; the eights that are left over come
 * first. What a block or an eight carries out of the plane of weight 8 runs through all planes
 * above, so that the time does not depend on the words.
 */
#include "../f2t_layout.h"

#if MCUBNN_F2T_THUMB2

        .syntax unified
        .thumb

list    .req    r0              /* the current entry of the list */
w0      .req    r1              /* four entries, then their words; carries */
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
words   .req    r8
from    .req    r6              /* the plane that a carry runs into, before and after */
to      .req    r7

/* The stack frame, offsets in bytes. */
        .set    PAIR_8, 0               /* a pair of carries of weight 8 that waits */
        .set    FROM_16, 8              /* plane of weight 16 before, and after */
        .set    TO_16, 12
        .set    REST_END, 16            /* end of the list's first eights % 4 */
        .set    LIST_END, 20
        .set    RIPPLE, 24              /* address of the steps for the planes above 16 */
        .set    FRAME_BYTES, 28         /* a multiple of 8 with the 9 registers pushed */
        .set    ARGUMENT_LIST, FRAME_BYTES + 36

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

/* Full adder: plane z takes (x, x ^ d); the carry replaces x. */
.macro FULL_ADDER z, x, d
        eors    \x, \x, \z
        orrs    \x, \x, \d
        eors    \z, \z, \d
        eors    \x, \x, \z
.endm

/* Add the words of entries n .. n + 3 to `ones`. */
.macro FOUR n, cx, cd
        ldrh    w0, [list, #2 * \n]
        ldrh    w1, [list, #2 * \n + 2]
        ldrh    w2, [list, #2 * \n + 4]
        ldrh    w3, [list, #2 * \n + 6]
        ldr     w0, [words, w0, lsl #2]
        ldr     w1, [words, w1, lsl #2]
        ldr     w2, [words, w2, lsl #2]
        ldr     w3, [words, w3, lsl #2]
        eors    w1, w1, w0
        eors    w3, w3, w2
        FULL_ADDERS ones, w0, w1, w2, w3, \cx, \cd
.endm

/* Add 16 entries to `ones`, `twos` and `fours`; carries of weight 8 in (qx, qd). */
.macro SIXTEEN n
        FOUR    \n, px, pd
        FOUR    (\n + 4), w0, w1
        FULL_ADDERS twos, px, pd, w0, w1, qx, qd
        FOUR    (\n + 8), px, pd
        FOUR    (\n + 12), w0, w1
        FULL_ADDERS twos, px, pd, w0, w1, px, pd
        FULL_ADDERS fours, qx, qd, px, pd, qx, qd
.endm

        .section .mcubnn_hot.mcubnn_f2t_sum, "ax", %progbits
        .balign 4
        .global mcubnn_f2t_sum
        .type   mcubnn_f2t_sum, %function
        .thumb_func
mcubnn_f2t_sum:
        push    {r4-r11, lr}
        sub     sp, sp, #FRAME_BYTES
        mov     words, r3
        ldm     r1!, {r5, r11, r12, lr}         /* ones, twos, fours, eights */
        add     r3, r0, #16
        strd    r1, r3, [sp, #FROM_16]
        rsb     r2, r2, #MCUBNN_F2T_MOST_PLANES /* steps to leave out, 14 bytes each */
        rsb     r2, r2, r2, lsl #3
        adr.w   r3, .Lripple + 1
        add     r3, r3, r2, lsl #1
        str     r3, [sp, #RIPPLE]
        ldrd    list, r1, [sp, #ARGUMENT_LIST]
        and     r2, r1, #3
        add     r2, list, r2, lsl #4
        add     r3, list, r1, lsl #4
        strd    r2, r3, [sp, #REST_END]
        cmp     list, r2
        beq     .Lblock

.Leight:
        FOUR    0, px, pd
        FOUR    4, w0, w1
        FULL_ADDERS twos, px, pd, w0, w1, px, pd
        FULL_ADDER fours, px, pd
        and     w1, eights, px                  /* half adder */
        eor     eights, eights, px
        ldrd    from, to, [sp, #FROM_16]
        ldr     w2, [from], #4                  /* half adder of weight 16 */
        str     to, [sp, #FROM_16]
        and     w0, w1, w2
        eors    w2, w2, w1
        str     w2, [to], #4
        adds    list, list, #16
        ldr     pc, [sp, #RIPPLE]

        .balign 4
.Lblock:
        SIXTEEN 0
        strd    qx, qd, [sp, #PAIR_8]
        SIXTEEN 16
        ldrd    w0, w1, [sp, #PAIR_8]
        FULL_ADDERS eights, w0, w1, qx, qd, w0, w1
        ldrd    from, to, [sp, #FROM_16]
        adds    list, list, #64
        ldr     w2, [from], #4
        str     to, [sp, #FROM_16]
        FULL_ADDER w2, w0, w1
        str     w2, [to], #4
        ldr     pc, [sp, #RIPPLE]

/* Half adders: carry w0 into the planes above 16. */
        .balign 4
.Lripple:
        .rept   MCUBNN_F2T_MOST_PLANES - 5
        ldr.w   w1, [from], #4
        eor.w   w2, w1, w0
        ands.n  w0, w0, w1
        str.w   w2, [to], #4
        .endr
        ldrd    w1, w2, [sp, #REST_END]
        cmp     list, w1
        blo.w   .Leight
        cmp     list, w2
        bne.w   .Lblock

        ldr     r0, [sp, #TO_16]
        stmdb   r0, {r5, r11, r12, lr}          /* ones, twos, fours, eights */
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r11, pc}
        .size   mcubnn_f2t_sum, . - mcubnn_f2t_sum

        .section .mcubnn_hot.mcubnn_f2t_reached, "ax", %progbits
        .balign 4
        .global mcubnn_f2t_reached
        .type   mcubnn_f2t_reached, %function
        .thumb_func
mcubnn_f2t_reached:
        rsb     r2, r2, #MCUBNN_F2T_MOST_PLANES + 1     /* steps to leave out, 10 bytes each */
        add     r2, r2, r2, lsl #2
        adr.w   r3, .Lcompare + 1
        add     r2, r3, r2, lsl #1
        mov     r3, #-1
        bx      r2
        .balign 4
.Lcompare:
        .rept   MCUBNN_F2T_MOST_PLANES + 1
        ldm.n   r0!, {r2}
        lsrs.n  r1, r1, #1
        ite     cs
        orrcs.n r3, r3, r2
        andcc.n r3, r3, r2
        .endr
        mov     r0, r3
        bx      lr
        .size   mcubnn_f2t_reached, . - mcubnn_f2t_reached

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
