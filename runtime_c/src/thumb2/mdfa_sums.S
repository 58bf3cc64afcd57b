/* void mcubnn_mdfa_sums(const uint32_t *row, const uint32_t *weights, uint32_t words,
 *                       int32_t inputs, uint32_t count, int32_t *sums)
 *
 * For Cortex-M with Thumb-2; contract and method: ../mdfa_core.h, the formulas: ../mdfa_core.c.
 * Against the compiler's code it loads several words at once and keeps all planes in registers.
 */
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 2

        .syntax unified
        .thumb

next    .req    r0              /* the next words of the row and of the weights */
weights .req    r1
x0      .req    r2              /* four words of the row, then scratch */
x1      .req    r3
x2      .req    r4
x3      .req    r5
w0      .req    r6              /* two words of the weights, then scratch */
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
        .set    FIRST, 12               /* words % 4: words that the planes start with, at most 2 */
        .set    SIXTEENS, 16            /* bits of weight 16 so far */
        .set    INPUTS, 20
        .set    SUMS, 24                /* where the next sum goes */
        .set    SUMS_END, 28
        .set    PAIR_4, 32              /* a pair of carries of weight 4 that waits */
        .set    FRAME_BYTES, 44         /* a multiple of 8 with the 9 registers pushed */
        .set    ARGUMENT_COUNT, FRAME_BYTES + 36

/* Add four words to `ones`; the pair (cx, cd) is carried. cx may be x1, cd may be x2. */
.macro FOUR cx, cd
        ldm     next!, {r2-r5}          /* x0-x3 */
        ldrd    w0, w1, [weights], #8
        eors    x0, x0, w0              /* running parities of the differences */
        eors    x1, x1, w1
        ldrd    w0, w1, [weights], #8
        eors    x2, x2, w0
        eor     w0, ones, x1
        eor     ones, x3, w1
        orrs    x0, x0, w0
        eor     w0, x1, ones
        bics    x2, x2, w0
        eor     \cx, x0, x1
        eor     \cd, x0, x2
.endm

/* Full adder: plane z takes (x, x ^ d); the carry replaces x. */
.macro FULL_ADDER z, x, d
        eor     \x, \x, \z
        orr     \x, \x, \d
        eor     \z, \z, \d
        eor     \x, \x, \z
.endm

/* Two full adders: plane z takes (x1, x1 ^ d1) and (x2, x2 ^ d2); the pair of carries replaces
 * (x1, d1), and x2 is spent. */
.macro FULL_ADDERS z, x1, d1, x2, d2
        eor     \x1, \x1, \z
        eor     \z, \z, \d1             /* sum of the first */
        orr     \d1, \d1, \x1
        eor     \x1, \d1, \z            /* carry of the first */
        eor     \x2, \x2, \z
        bic     \x2, \x2, \d2
        eor     \z, \z, \d2             /* sum of the second */
        eor     \d1, \d1, \x2           /* both carries' difference */
.endm

/* Bits set in each nibble of a word; w0 is 0x55555555 and w1 is 0x33333333, x0 is spent. */
.macro NIBBLE_SUMS word
        and     x0, w0, \word, lsr #1
        sub     \word, \word, x0
        and     x0, w1, \word, lsr #2
        and     \word, \word, w1
        add     \word, \word, x0
.endm

/* Bytes of sums from nibbles; w0 is 0x0F0F0F0F, x0 is spent. */
.macro BYTE_SUMS word
        and     x0, w0, \word, lsr #4
        and     \word, \word, w0
        add     \word, \word, x0
.endm

        .section .mcubnn_hot.mcubnn_mdfa_sums, "ax", %progbits
        .balign 4
        .global mcubnn_mdfa_sums
        .type   mcubnn_mdfa_sums, %function
        .thumb_func
mcubnn_mdfa_sums:
        push    {r4-r11, lr}
        sub     sp, sp, #FRAME_BYTES
        and     r4, r2, #15
        add     r4, r0, r4, lsl #2
        add     r5, r0, r2, lsl #2
        strd    r0, r4, [sp, #ROW]
        and     r4, r2, #3
        strd    r5, r4, [sp, #ROW_END]
        str     r3, [sp, #INPUTS]
        ldrd    r4, r5, [sp, #ARGUMENT_COUNT]
        add     r4, r5, r4, lsl #2
        strd    r5, r4, [sp, #SUMS]

.Lrow:
        ldrd    next, x0, [sp, #ROW]
        mov     ones, #0
        mov     twos, #0
        mov     fours, #0
        mov     eights, #0
        str     ones, [sp, #SIXTEENS]
        cmp     next, x0
        beq     .Lrest_is_done
        ldr     x1, [sp, #FIRST]
        cbz     x1, .Lfour
        ldr     ones, [next], #4
        ldr     w0, [weights], #4
        eor     ones, ones, w0
        cmp     x1, #1
        beq     .Lstarted
        ldr     x2, [next], #4
        ldr     w0, [weights], #4
        eors    x2, x2, w0
        bic     twos, ones, x2
        mov     ones, x2
.Lstarted:
        cmp     next, x0
        beq     .Lrest_is_done
.Lfour:                                 /* at most 14 words: `eights` cannot overflow */
        FOUR    x1, x2
        FULL_ADDER twos, x1, x2
        and     x2, fours, x1
        eor     fours, fours, x1
        eor     eights, eights, x2
        ldr     x0, [sp, #REST_END]
        cmp     next, x0
        bne     .Lfour
.Lrest_is_done:
        ldr     x0, [sp, #ROW_END]
        cmp     next, x0
        beq     .Lrow_is_done
        .balign 4
.Lsixteen:
        FOUR    px, pd
        FOUR    x1, x2
        FULL_ADDERS twos, px, pd, x1, x2
        strd    px, pd, [sp, #PAIR_4]
        FOUR    px, pd
        FOUR    x1, x2
        FULL_ADDERS twos, px, pd, x1, x2
        ldrd    x1, x2, [sp, #PAIR_4]
        FULL_ADDERS fours, x1, x2, px, pd
        FULL_ADDER eights, x1, x2
        lsrs    x0, x1, #1              /* popcount of the carry */
        and     x0, x0, #0x55555555
        subs    x1, x1, x0
        lsrs    x0, x1, #2
        and     x0, x0, #0x33333333
        and     x1, x1, #0x33333333
        add     x1, x1, x0
        add     x1, x1, x1, lsr #4
        and     x1, x1, #0x0F0F0F0F
        add     x1, x1, x1, lsl #8
        add     x1, x1, x1, lsl #16
        ldr     x0, [sp, #SIXTEENS]
        ldr     x2, [sp, #ROW_END]
        add     x0, x0, x1, lsr #24
        str     x0, [sp, #SIXTEENS]
        cmp     next, x2
        bne     .Lsixteen

.Lrow_is_done:
        mov     w0, #0x55555555
        mov     w1, #0x33333333
        NIBBLE_SUMS ones
        NIBBLE_SUMS twos
        NIBBLE_SUMS fours
        NIBBLE_SUMS eights
        add     ones, ones, twos, lsl #1        /* at most 12 */
        add     fours, fours, eights, lsl #1
        mov     w0, #0x0F0F0F0F
        BYTE_SUMS ones
        BYTE_SUMS fours
        add     x1, ones, fours, lsl #2         /* at most 24 + 4 * 24 */
        mov     w0, #0x00FF00FF
        and     x0, w0, x1, lsr #8
        ands    x1, x1, w0
        add     x1, x1, x0
        add     x1, x1, x1, lsr #16
        uxth    x1, x1
        ldrd    x0, x2, [sp, #SIXTEENS]         /* and INPUTS */
        add     x1, x1, x0, lsl #4
        sub     x2, x2, x1, lsl #1
        ldrd    x0, x3, [sp, #SUMS]
        str     x2, [x0], #4
        str     x0, [sp, #SUMS]
        cmp     x0, x3
        bne.w   .Lrow
        add     sp, sp, #FRAME_BYTES
        pop     {r4-r11, pc}
        .size   mcubnn_mdfa_sums, . - mcubnn_mdfa_sums

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
