/* void mcubnn_mdfa_sums(const uint32_t *row, const uint32_t *weights, uint32_t words,
 *                       int32_t inputs, uint32_t count, int32_t *sums)
 *
 * For Cortex-M with Thumb-1 (Armv6-M and Armv8-M Baseline); contract and method: ../mdfa_core.h,
 * the formulas: ../mdfa_core.c. Against the compiler's code it loads several words at once, and
 * planes and waiting carries are in the high registers, not on the stack.
 */
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 1

        .syntax unified
        .thumb

next    .req    r0              /* the next words of the row and of the weights */
weights .req    r1
x0      .req    r2              /* four words of the row, then scratch; pairs of carries */
x1      .req    r3
x2      .req    r4
x3      .req    r5
w0      .req    r6              /* two words of the weights, then scratch and planes */
w1      .req    r7
px      .req    r8              /* a pair that waits for its partner: carries of weight 2 */
pd      .req    r9
ones    .req    r10             /* planes of weight 1, 2, 4 and 8 */
twos    .req    r11
fours   .req    r12
eights  .req    lr

/* The stack frame, offsets in bytes. */
        .set    ROW, 0
        .set    REST_END, 4             /* end of the row's first words % 16 */
        .set    ROW_END, 8
        .set    INPUTS, 12
        .set    SUMS, 16                /* where the next sum goes */
        .set    SUMS_END, 20
        .set    SIXTEENS, 24            /* bits of weight 16 so far */
        .set    PAIR_4, 28              /* a pair of carries of weight 4 that waits */
        .set    FIRST, 36               /* words % 4: words that the planes start with, at most 2 */
        .set    FRAME_BYTES, 44         /* a multiple of 8 with the 9 registers pushed */
        .set    ARGUMENT_COUNT, FRAME_BYTES + 36

/* Add four words to `ones`; the pair (x1, x0) is carried. */
.macro FOUR
        ldm     next!, {r2-r5}          /* x0-x3 */
        ldm     weights!, {r6, r7}      /* w0, w1 */
        eors    x0, w0                  /* running parities of the differences */
        eors    x1, w1
        ldm     weights!, {r6, r7}
        eors    x2, w0
        eors    x3, w1
        mov     w0, ones
        eors    w0, x1
        mov     ones, x3
        orrs    x0, w0
        eors    x3, x1
        bics    x2, x3
        eors    x1, x0
        eors    x0, x2
.endm

/* Full adder: plane z takes (x, x ^ d); the carry replaces x. w0 is spent. */
.macro FULL_ADDER z, x, d
        mov     w0, \z
        eors    \x, w0
        orrs    \x, \d
        eors    w0, \d
        mov     \z, w0
        eors    \x, w0
.endm

/* Two full adders: plane z takes (x1, x1 ^ d1) and (x2, x2 ^ d2); the pair of carries replaces
 * (x1, d1); x2 and w0 are spent. */
.macro FULL_ADDERS z, x1, d1, x2, d2
        mov     w0, \z
        eors    \x1, w0
        eors    w0, \d1                 /* sum of the first */
        orrs    \d1, \x1
        movs    \x1, \d1
        eors    \x1, w0                 /* carry of the first */
        eors    \x2, w0
        bics    \x2, \d2
        eors    w0, \d2                 /* sum of the second */
        mov     \z, w0
        eors    \d1, \x2                /* both carries' difference */
.endm

/* Eight words to `ones` and `twos`: the pair (x2, x3) is carried. */
.macro EIGHT
        FOUR
        mov     px, x1
        mov     pd, x0
        FOUR
        mov     x2, px
        mov     x3, pd
        FULL_ADDERS twos, x2, x3, x1, x0
.endm

/* Bits set in each nibble of a word; w0 is 0x55555555, w1 is 0x33333333 and x1 is spent. */
.macro NIBBLE_SUMS word
        lsrs    x1, \word, #1
        ands    x1, w0
        subs    \word, \word, x1
        lsrs    x1, \word, #2
        ands    x1, w1
        ands    \word, w1
        adds    \word, \word, x1
.endm

/* Bytes of sums from nibbles; w0 is 0x0F0F0F0F, x1 is spent. */
.macro BYTE_SUMS word
        lsrs    x1, \word, #4
        ands    x1, w0
        ands    \word, w0
        adds    \word, \word, x1
.endm

        .section .mcubnn_hot.mcubnn_mdfa_sums, "ax", %progbits
        .balign 4
        .global mcubnn_mdfa_sums
        .type   mcubnn_mdfa_sums, %function
        .thumb_func
mcubnn_mdfa_sums:
        push    {r4-r7, lr}
        mov     r4, r8
        mov     r5, r9
        mov     r6, r10
        mov     r7, r11
        push    {r4-r7}
        sub     sp, sp, #FRAME_BYTES
        str     r0, [sp, #ROW]
        str     r3, [sp, #INPUTS]
        movs    r4, #15
        ands    r4, r2
        lsls    r4, r4, #2
        adds    r4, r0, r4
        str     r4, [sp, #REST_END]
        lsls    r4, r2, #2
        adds    r4, r0, r4
        str     r4, [sp, #ROW_END]
        movs    r4, #3
        ands    r4, r2
        str     r4, [sp, #FIRST]
        ldr     r4, [sp, #ARGUMENT_COUNT]
        ldr     r5, [sp, #ARGUMENT_COUNT + 4]
        str     r5, [sp, #SUMS]
        lsls    r4, r4, #2
        adds    r4, r5, r4
        str     r4, [sp, #SUMS_END]

.Lrow:
        ldr     next, [sp, #ROW]
        movs    w0, #0
        mov     ones, w0
        mov     twos, w0
        mov     fours, w0
        mov     eights, w0
        str     w0, [sp, #SIXTEENS]
        ldr     x0, [sp, #REST_END]
        cmp     next, x0
        beq     .Lrest_is_done
        ldr     x1, [sp, #FIRST]
        cmp     x1, #1
        blo     .Lfour
        ldm     next!, {r4}             /* x2 */
        ldm     weights!, {r6}          /* w0 */
        eors    x2, w0
        mov     ones, x2
        cmp     x1, #1
        beq     .Lstarted
        ldm     next!, {r5}             /* x3 */
        ldm     weights!, {r6}
        eors    x3, w0
        mov     ones, x3
        bics    x2, x3
        mov     twos, x2
.Lstarted:
        cmp     next, x0
        beq     .Lrest_is_done
.Lfour:                                 /* at most 14 words: `eights` cannot overflow */
        FOUR
        FULL_ADDER twos, x1, x0
        mov     w0, fours
        mov     x2, w0
        ands    x2, x1
        eors    w0, x1
        mov     fours, w0
        mov     w0, eights
        eors    w0, x2
        mov     eights, w0
        ldr     x0, [sp, #REST_END]
        cmp     next, x0
        bne     .Lfour
.Lrest_is_done:
        ldr     x0, [sp, #ROW_END]
        cmp     next, x0
        bne     .Lsixteen
        b       .Lrow_is_done
        .balign 4
.Lsixteen:
        EIGHT
        str     x2, [sp, #PAIR_4]
        str     x3, [sp, #PAIR_4 + 4]
        EIGHT
        ldr     x0, [sp, #PAIR_4]
        ldr     x1, [sp, #PAIR_4 + 4]
        FULL_ADDERS fours, x0, x1, x2, x3
        FULL_ADDER eights, x0, x1
        ldr     w0, .Lfives                     /* popcount of the carry */
        ldr     w1, .Lthrees
        NIBBLE_SUMS x0
        lsrs    x1, x0, #4
        adds    x0, x0, x1
        ldr     w0, .Lfifteens
        ands    x0, w0
        lsls    x1, x0, #8
        adds    x0, x0, x1
        lsls    x1, x0, #16
        adds    x0, x0, x1
        lsrs    x0, x0, #24
        ldr     x1, [sp, #SIXTEENS]
        adds    x0, x0, x1
        str     x0, [sp, #SIXTEENS]
        ldr     x0, [sp, #ROW_END]
        cmp     next, x0
        beq     .Lrow_is_done
        b       .Lsixteen

.Lrow_is_done:
        ldr     w0, .Lfives
        ldr     w1, .Lthrees
        mov     x0, ones
        NIBBLE_SUMS x0
        mov     x2, twos
        NIBBLE_SUMS x2
        lsls    x2, x2, #1
        adds    x0, x0, x2                      /* at most 12 in a nibble */
        mov     x2, fours
        NIBBLE_SUMS x2
        mov     x3, eights
        NIBBLE_SUMS x3
        lsls    x3, x3, #1
        adds    x2, x2, x3
        ldr     w0, .Lfifteens
        BYTE_SUMS x0
        BYTE_SUMS x2
        lsls    x2, x2, #2
        adds    x0, x0, x2                      /* at most 24 + 4 * 24 in a byte */
        ldr     w0, .Lbytes
        lsrs    x1, x0, #8
        ands    x0, w0
        ands    x1, w0
        adds    x0, x0, x1
        lsrs    x1, x0, #16
        adds    x0, x0, x1
        uxth    x0, x0
        ldr     x1, [sp, #SIXTEENS]
        lsls    x1, x1, #4
        adds    x0, x0, x1
        lsls    x0, x0, #1
        ldr     x1, [sp, #INPUTS]
        subs    x1, x1, x0
        ldr     x0, [sp, #SUMS]
        stm     x0!, {r3}                       /* x1 */
        str     x0, [sp, #SUMS]
        ldr     x1, [sp, #SUMS_END]
        cmp     x0, x1
        beq     .Lsums_are_done
        b       .Lrow
.Lsums_are_done:
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r7}
        mov     r8, r4
        mov     r9, r5
        mov     r10, r6
        mov     r11, r7
        pop     {r4-r7, pc}

        .balign 4
.Lfives:
        .word   0x55555555
.Lthrees:
        .word   0x33333333
.Lfifteens:
        .word   0x0F0F0F0F
.Lbytes:
        .word   0x00FF00FF
        .size   mcubnn_mdfa_sums, . - mcubnn_mdfa_sums

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
