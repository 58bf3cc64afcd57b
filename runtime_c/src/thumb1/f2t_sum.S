/* void mcubnn_f2t_sum(uint32_t *counters, const uint32_t *start, uint32_t planes,
 *                     const uint32_t *words, const uint16_t *list, uint32_t eights)
 * uint32_t mcubnn_f2t_reached(const uint32_t *planes, uint32_t complement, uint32_t count)
 *
 * For Cortex-M with Thumb-1 (Armv6-M and Armv8-M Baseline); contract: ../f2t_core.h, the adders:
 * ../full_adders.h. Entries are added in blocks of 16; an eight that is left over comes first. The
 * carry out of the plane of weight 8 runs through all planes above, so that the time does not
 * depend on the words.
 */
#include "../f2t_layout.h"

#if MCUBNN_F2T_THUMB1

        .syntax unified
        .thumb

list    .req    r0              /* the current entry of the list */
words   .req    r1
w0      .req    r2              /* four entries, then their words; pairs of carries */
w1      .req    r3
w2      .req    r4
w3      .req    r5
ones    .req    r6
z       .req    r7              /* another plane, while it is added to */
px      .req    r8              /* a pair that waits for its partner: carries of weight 2 */
pd      .req    r9
twos    .req    r10             /* planes of weight 2, 4 and 8 */
fours   .req    r11
eights  .req    r12
from    .req    r4              /* the plane that a carry runs into, before and after */
to      .req    r5

/* The stack frame, offsets in bytes. */
        .set    PAIR_4, 0               /* a pair of carries of weight 4 that waits */
        .set    FROM_16, 8              /* plane of weight 16 before, and after */
        .set    TO_16, 12
        .set    LIST_END, 16
        .set    RIPPLE, 20              /* address of the steps for the planes from 16 on */
        .set    FRAME_BYTES, 28         /* a multiple of 8 with the 9 registers pushed */
        .set    ARGUMENT_LIST, FRAME_BYTES + 36

/* Two full adders: plane z takes (x1, x1 ^ d1) and (x2, x2 ^ d2); the pair of carries replaces
 * (x1, d1); x2 is spent. */
.macro FULL_ADDERS z, x1, d1, x2, d2
        eors    \x1, \z
        eors    \z, \d1                 /* sum of the first */
        orrs    \d1, \x1
        movs    \x1, \d1
        eors    \x1, \z                 /* carry of the first */
        eors    \x2, \z
        bics    \x2, \d2
        eors    \z, \d2                 /* sum of the second */
        eors    \d1, \x2                /* both carries' difference */
.endm

/* Full adder: plane z takes (x, x ^ d); the carry replaces x. */
.macro FULL_ADDER z, x, d
        eors    \x, \z
        orrs    \x, \d
        eors    \z, \d
        eors    \x, \z
.endm

/* Add the words of entries n .. n + 3 to `ones`; the pair (w0, w1) is carried. */
.macro FOUR n
        ldrh    w0, [list, #2 * \n]
        ldrh    w1, [list, #2 * \n + 2]
        ldrh    w2, [list, #2 * \n + 4]
        ldrh    w3, [list, #2 * \n + 6]
        lsls    w0, w0, #2
        lsls    w1, w1, #2
        lsls    w2, w2, #2
        lsls    w3, w3, #2
        ldr     w0, [words, w0]
        ldr     w1, [words, w1]
        ldr     w2, [words, w2]
        ldr     w3, [words, w3]
        eors    w1, w0
        eors    w3, w2
        FULL_ADDERS ones, w0, w1, w2, w3
.endm

/* Add eight entries to `ones` and `twos`; the pair (w2, w3) is carried. */
.macro EIGHT n
        FOUR    \n
        mov     px, w0
        mov     pd, w1
        FOUR    (\n + 4)
        mov     w2, px
        mov     w3, pd
        mov     z, twos
        FULL_ADDERS z, w2, w3, w0, w1
        mov     twos, z
.endm

        .section .mcubnn_hot.mcubnn_f2t_sum, "ax", %progbits
        .balign 4
        .global mcubnn_f2t_sum
        .type   mcubnn_f2t_sum, %function
        .thumb_func
mcubnn_f2t_sum:
        push    {r4-r7, lr}
        mov     r4, r8
        mov     r5, r9
        mov     r6, r10
        mov     r7, r11
        push    {r4-r7}
        sub     sp, sp, #FRAME_BYTES
        ldm     r1!, {r4-r7}                    /* ones, twos, fours, eights */
        mov     eights, r7
        mov     twos, r5
        mov     r5, r6
        mov     fours, r5
        movs    ones, r4
        str     r1, [sp, #FROM_16]
        adds    r0, r0, #16
        str     r0, [sp, #TO_16]
        movs    r4, #MCUBNN_F2T_MOST_PLANES     /* steps to leave out, 10 bytes each */
        subs    r4, r4, r2
        movs    r5, #10
        muls    r4, r5
        adr     r5, .Lripple
        adds    r4, r4, r5
        adds    r4, r4, #1                      /* Thumb */
        str     r4, [sp, #RIPPLE]
        movs    words, r3
        ldr     list, [sp, #ARGUMENT_LIST]
        ldr     r4, [sp, #ARGUMENT_LIST + 4]
        lsls    r5, r4, #4
        adds    r5, list, r5
        str     r5, [sp, #LIST_END]
        lsrs    r4, r4, #1
        bcs     .Leight
        b       .Lblock

.Leight:
        EIGHT   0
        mov     z, fours
        FULL_ADDER z, w2, w3
        mov     fours, z
        mov     z, eights
        movs    w0, w2                          /* half adder */
        ands    w0, z
        eors    z, w2
        mov     eights, z
        adds    list, list, #16
        b       .Lcarry

.Lblock:
        EIGHT   0
        str     w2, [sp, #PAIR_4]
        str     w3, [sp, #PAIR_4 + 4]
        EIGHT   8
        ldr     w0, [sp, #PAIR_4]
        ldr     w1, [sp, #PAIR_4 + 4]
        mov     z, fours
        FULL_ADDERS z, w0, w1, w2, w3
        mov     fours, z
        mov     z, eights
        FULL_ADDER z, w0, w1
        mov     eights, z
        adds    list, list, #32

/* Half adders: carry w0 into the planes from 16 on. */
.Lcarry:
        ldr     from, [sp, #FROM_16]
        ldr     to, [sp, #TO_16]
        str     to, [sp, #FROM_16]
        ldr     z, [sp, #RIPPLE]
        bx      z
        .balign 4
.Lripple:
        .rept   MCUBNN_F2T_MOST_PLANES - 4
        ldm     from!, {r3}                     /* w1 */
        movs    z, w1
        eors    z, w0
        ands    w0, w1
        stm     to!, {r7}                       /* z */
        .endr
        ldr     w0, [sp, #LIST_END]
        cmp     list, w0
        beq     .Ldone
        b       .Lblock

.Ldone:
        ldr     r0, [sp, #TO_16]
        subs    r0, r0, #16
        mov     r4, twos
        mov     r5, fours
        mov     r7, eights
        stm     r0!, {r6}                       /* ones */
        stm     r0!, {r4, r5, r7}
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r7}
        mov     r8, r4
        mov     r9, r5
        mov     r10, r6
        mov     r11, r7
        pop     {r4-r7, pc}
        .size   mcubnn_f2t_sum, . - mcubnn_f2t_sum

        .section .mcubnn_hot.mcubnn_f2t_reached, "ax", %progbits
        .balign 4
        .global mcubnn_f2t_reached
        .type   mcubnn_f2t_reached, %function
        .thumb_func
mcubnn_f2t_reached:
        push    {r4, lr}
        movs    r3, #0
        mvns    r3, r3
.Lnext:
        ldm     r0!, {r4}
        lsrs    r1, r1, #1
        bcs     .Lset
        ands    r3, r4
        subs    r2, r2, #1
        bne     .Lnext
        b       .Lreturn
.Lset:
        orrs    r3, r4
        subs    r2, r2, #1
        bne     .Lnext
.Lreturn:
        movs    r0, r3
        pop     {r4, pc}
        .size   mcubnn_f2t_reached, . - mcubnn_f2t_reached

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
