/* Inner loops of mcubnn_input_conv2d_tab() for Thumb-1 (Armv6-M and Armv8-M Baseline).
 * Contracts: ../input_conv2d_tab_core.h. */

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 1

    .syntax unified
    .thumb

/* Most groups of mcubnn_input_conv2d_tab_sum(), and bytes of code for one. Offsets are loaded with
 * immediate displacements of up to 62 bytes, which sets the limit. */
    .equ MAX_GROUPS, 31
    .equ LOG2_GROUP_BYTES, 4

    .macro save_registers
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
    .endm

    .macro restore_registers_and_return
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {r4-r7, pc}
    .endm

/* void mcubnn_input_conv2d_tab_expand(uint32_t *table, const uint32_t *pairs, uint32_t step,
 *                                     uint32_t taps)
 *
 * Entry 0 has all signs minus. Each tap then doubles the table: an entry with its bit set is the
 * entry without it plus twice the tap.
 *
 * r0-r3 a quad or twice the tap, r4-r7 temporary,
 * r8 table, r9 next tap, r10 bytes from word to word of a tap, r11 end of taps, r12 end of the
 * entries to copy */
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_expand, "ax", %progbits
    .global mcubnn_input_conv2d_tab_expand
    .type mcubnn_input_conv2d_tab_expand, %function
    .thumb_func
    .balign 4
mcubnn_input_conv2d_tab_expand:
    save_registers
    mov r8, r0
    mov r9, r1
    lsls r2, r2, #2
    mov r10, r2
    lsls r3, r3, #2
    adds r3, r3, r1
    mov r11, r3
    mov r4, r1
    movs r0, #0
    movs r1, #0
    movs r2, #0
    movs r3, #0
.Lminus:
    ldr r6, [r4]
    mov r5, r4
    add r5, r10
    subs r0, r0, r6
    ldr r6, [r5]
    add r5, r10
    subs r1, r1, r6
    ldr r6, [r5]
    add r5, r10
    subs r2, r2, r6
    ldr r6, [r5]
    adds r4, r4, #4
    subs r3, r3, r6
    cmp r4, r11
    bne .Lminus

    mov r5, r8
    stm r5!, {r0-r3}
    mov r4, r9
.Ltap:                          /* r4 tap, r5 end of the entries */
    mov r12, r5
    ldr r0, [r4]
    mov r7, r4
    add r7, r10
    ldr r1, [r7]
    add r7, r10
    ldr r2, [r7]
    add r7, r10
    ldr r3, [r7]
    adds r4, r4, #4
    mov r9, r4
    adds r0, r0, r0
    adds r1, r1, r1
    adds r2, r2, r2
    adds r3, r3, r3
    mov r4, r8
.Ldouble:
    ldm r4!, {r6, r7}
    adds r6, r6, r0
    adds r7, r7, r1
    stm r5!, {r6, r7}
    ldm r4!, {r6, r7}
    adds r6, r6, r2
    adds r7, r7, r3
    stm r5!, {r6, r7}
    cmp r4, r12
    bne .Ldouble
    mov r4, r9
    cmp r4, r11
    bne .Ltap
    restore_registers_and_return
    .size mcubnn_input_conv2d_tab_expand, . - mcubnn_input_conv2d_tab_expand

/* void mcubnn_input_conv2d_tab_slide(uint32_t *to, const uint32_t *from, uint32_t words) */
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_slide, "ax", %progbits
    .global mcubnn_input_conv2d_tab_slide
    .type mcubnn_input_conv2d_tab_slide, %function
    .thumb_func
    .balign 4
mcubnn_input_conv2d_tab_slide:
    push {r4-r6, lr}
.Leight:
    ldm r1!, {r3-r6}
    stm r0!, {r3-r6}
    ldm r1!, {r3-r6}
    stm r0!, {r3-r6}
    subs r2, r2, #8
    bne .Leight
    pop {r4-r6, pc}
    .size mcubnn_input_conv2d_tab_slide, . - mcubnn_input_conv2d_tab_slide

/* void mcubnn_input_conv2d_tab_sum(const uint32_t *tables, const uint16_t *offsets,
 *                                  uint32_t groups, uint32_t blocks, const uint32_t *starts,
 *                                  uint32_t *bits)
 *
 * The groups' code is entered so that the last group is always the same piece of code. r7 is
 * biased to match: piece u fetches the offset at r7 + 2u, and the last piece the next channel's
 * first one.
 *
 * r0-r3 sums, r4 and r5 addends, r6 their address, r7 offsets, r8 tables, r9-r12 bits of the
 * block, lr entry point for this number of groups
 * stack: bytes of offsets per channel, mask, blocks left; above the saved registers: the next
 * start quad, the next block's bits */
    .equ STEP, 0
    .equ MASK, 4
    .equ BLOCKS, 8
    .equ FRAME_BYTES, 12
    .equ STARTS, FRAME_BYTES + 36
    .equ BITS, FRAME_BYTES + 40
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_sum, "ax", %progbits
    .global mcubnn_input_conv2d_tab_sum
    .type mcubnn_input_conv2d_tab_sum, %function
    .thumb_func
    .balign 4
mcubnn_input_conv2d_tab_sum:
    save_registers
    sub sp, sp, #FRAME_BYTES
    str r3, [sp, #BLOCKS]
    lsls r3, r2, #1
    str r3, [sp, #STEP]
    ldrh r6, [r1]
    add r6, r0
    mov r8, r0
    ldr r0, =0x80008000
    str r0, [sp, #MASK]
    subs r1, r1, #(2 * MAX_GROUPS - 2)
    mov r7, r1
    lsls r2, r2, #LOG2_GROUP_BYTES
    adr r0, .Lpack
    subs r0, r0, r2
    adds r0, r0, #1             /* Thumb state */
    mov lr, r0
.Lblock:
    movs r0, #0
    mov r10, r0
    mov r11, r0
    mov r12, r0
    movs r0, #0x80              /* 0x8000 arrives in the carry flag with the 16th channel */
    lsls r0, r0, #8
    mov r9, r0
.Lchannel:
    ldr r4, [sp, #STARTS]
    ldm r4!, {r0-r3}
    str r4, [sp, #STARTS]
    ldr r4, [sp, #STEP]
    adds r7, r7, r4
    bx lr

    .balign 4
    .set fetch, 0
    .rept MAX_GROUPS            /* a group fetches the next one's address, the last the next channel's */
    ldm r6!, {r4, r5}
    adds r0, r0, r4
    adds r1, r1, r5
    ldm r6!, {r4, r5}
    ldrh r6, [r7, #fetch]
    adds r2, r2, r4
    adds r3, r3, r5
    add r6, r8
    .set fetch, fetch + 2
    .endr
    .balign 4
.Lpack:
    ldr r5, [sp, #MASK]
    mov r4, r10
    lsrs r4, r4, #1
    ands r1, r1, r5
    orrs r4, r4, r1
    mov r10, r4
    mov r4, r11
    lsrs r4, r4, #1
    ands r2, r2, r5
    orrs r4, r4, r2
    mov r11, r4
    mov r4, r12
    lsrs r4, r4, #1
    ands r3, r3, r5
    orrs r4, r4, r3
    mov r12, r4
    mov r4, r9
    ands r0, r0, r5
    lsrs r4, r4, #1             /* nothing below changes the carry flag */
    orrs r4, r4, r0
    mov r9, r4
    bcs .Lflush
    b .Lchannel

.Lflush:
    ldr r0, [sp, #BITS]
    mov r1, r9
    mov r2, r10
    mov r3, r11
    mov r4, r12
    stm r0!, {r1-r4}
    str r0, [sp, #BITS]
    ldr r0, [sp, #BLOCKS]
    subs r0, r0, #1
    str r0, [sp, #BLOCKS]
    beq .Lsummed
    b .Lblock
.Lsummed:
    add sp, sp, #FRAME_BYTES
    restore_registers_and_return
    .ltorg
    .size mcubnn_input_conv2d_tab_sum, . - mcubnn_input_conv2d_tab_sum

#endif
