/* Inner loops of mcubnn_input_conv2d_tab() for Thumb-2 (Armv7-M and later Mainline cores).
 * Contracts: ../input_conv2d_tab_core.h. */

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && __ARM_ARCH_ISA_THUMB == 2

    .syntax unified
    .thumb

/* Most groups of mcubnn_input_conv2d_tab_sum(), and bytes of code for one. */
    .equ MAX_GROUPS, 31
    .equ LOG2_GROUP_BYTES, 4

/* void mcubnn_input_conv2d_tab_expand(uint32_t *table, const uint32_t *pairs, uint32_t step,
 *                                     uint32_t taps)
 *
 * Entry 0 has all signs minus. Each tap then doubles the table: an entry with its bit set is the
 * entry without it plus twice the tap.
 *
 * r0 table, r1 next tap, r2 bytes from word to word of a tap, r3 end of taps, r12 3 * r2,
 * r4-r7 a quad, r8-r11 the tap, later lr end of the entries to copy, r12 the copies */
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_expand, "ax", %progbits
    .global mcubnn_input_conv2d_tab_expand
    .type mcubnn_input_conv2d_tab_expand, %function
    .thumb_func
    .balign 4
mcubnn_input_conv2d_tab_expand:
    push {r4-r11, lr}
    add r3, r1, r3, lsl #2
    lsls r2, r2, #2
    add r12, r2, r2, lsl #1
    mov lr, r1
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
.Lminus:
    ldr r9, [lr, r2]
    ldr r10, [lr, r2, lsl #1]
    ldr r11, [lr, r12]
    ldr r8, [lr], #4
    subs r5, r5, r9
    subs r6, r6, r10
    sub r7, r7, r11
    sub r4, r4, r8
    cmp lr, r3
    bne .Lminus

    mov lr, r0
    stm lr!, {r4-r7}
    ldr r9, [r1, r2]            /* the first tap: entry 0 is still in r4-r7 */
    ldr r10, [r1, r2, lsl #1]
    ldr r11, [r1, r12]
    ldr r8, [r1], #4
    add r4, r4, r8, lsl #1
    add r5, r5, r9, lsl #1
    add r6, r6, r10, lsl #1
    add r7, r7, r11, lsl #1
    stm lr!, {r4-r7}
    cmp r1, r3
    beq .Lexpanded

.Ltap:
    ldr r9, [r1, r2]
    ldr r10, [r1, r2, lsl #1]
    add r8, r2, r2, lsl #1
    ldr r11, [r1, r8]
    ldr r8, [r1], #4
    push {r0, r1}
    mov r12, lr
    mov r1, lr
.Ldouble:                       /* two entries at a time; from the second tap on they are even */
    ldm r0!, {r4-r7}
    add r4, r4, r8, lsl #1
    add r5, r5, r9, lsl #1
    add r6, r6, r10, lsl #1
    add r7, r7, r11, lsl #1
    stm r12!, {r4-r7}
    ldm r0!, {r4-r7}
    add r4, r4, r8, lsl #1
    add r5, r5, r9, lsl #1
    add r6, r6, r10, lsl #1
    add r7, r7, r11, lsl #1
    stm r12!, {r4-r7}
    cmp r0, r1
    bne .Ldouble
    mov lr, r12
    pop {r0, r1}
    cmp r1, r3
    bne .Ltap
.Lexpanded:
    pop {r4-r11, pc}
    .size mcubnn_input_conv2d_tab_expand, . - mcubnn_input_conv2d_tab_expand

/* void mcubnn_input_conv2d_tab_slide(uint32_t *to, const uint32_t *from, uint32_t words) */
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_slide, "ax", %progbits
    .global mcubnn_input_conv2d_tab_slide
    .type mcubnn_input_conv2d_tab_slide, %function
    .thumb_func
    .balign 4
mcubnn_input_conv2d_tab_slide:
    push {r4-r10, lr}
.Leight:
    ldm r1!, {r3-r10}
    stm r0!, {r3-r10}
    subs r2, r2, #8
    bne .Leight
    pop {r4-r10, pc}
    .size mcubnn_input_conv2d_tab_slide, . - mcubnn_input_conv2d_tab_slide

/* void mcubnn_input_conv2d_tab_sum(const uint32_t *tables, const uint16_t *offsets,
 *                                  uint32_t groups, uint32_t blocks, const uint32_t *starts,
 *                                  uint32_t *bits)
 *
 * The groups' code is entered so that the last group is always the same piece of code.
 *
 * r0-r3 sums, r4-r7 addends (r4 also their address), r8 offsets, r9 tables,
 * r10-r12 and lr bits of the block
 * stack: entry point for this number of groups, blocks left; above the saved registers: the next
 * start quad, the next block's bits */
    .equ ENTRY, 0
    .equ BLOCKS, 4
    .equ FRAME_BYTES, 8
    .equ STARTS, FRAME_BYTES + 36
    .equ BITS, FRAME_BYTES + 40
    .section .mcubnn_hot.mcubnn_input_conv2d_tab_sum, "ax", %progbits
    .global mcubnn_input_conv2d_tab_sum
    .type mcubnn_input_conv2d_tab_sum, %function
    .thumb_func
    .balign 8
mcubnn_input_conv2d_tab_sum:
    push {r4-r11, lr}
    sub sp, sp, #FRAME_BYTES
    str r3, [sp, #BLOCKS]
    adr r3, .Lpack
    sub r3, r3, r2, lsl #LOG2_GROUP_BYTES
    orr r3, r3, #1              /* Thumb state */
    str r3, [sp, #ENTRY]
    mov r8, r1
    mov r9, r0
    ldrh r4, [r8], #2
    add r4, r9
.Lblock:
    mov r10, #0x8000            /* arrives in the carry flag with the 16th channel */
    mov r11, #0
    mov r12, #0
    mov lr, #0
.Lchannel:
    ldr r5, [sp, #STARTS]
    ldm r5!, {r0-r3}
    str r5, [sp, #STARTS]
    ldr pc, [sp, #ENTRY]

    .balign 8
    .rept MAX_GROUPS            /* a group fetches the next one's address, the last the next channel's */
    ldm r4, {r4-r7}
    adds r0, r0, r4
    ldrh r4, [r8], #2
    adds r1, r1, r5
    adds r2, r2, r6
    add r4, r9
    adds r3, r3, r7
    .endr
    .balign 4
.Lpack:
    and r1, r1, #0x80008000
    and r2, r2, #0x80008000
    and r3, r3, #0x80008000
    and r0, r0, #0x80008000
    orr r11, r1, r11, lsr #1
    orr r12, r2, r12, lsr #1
    orr lr, r3, lr, lsr #1
    lsrs r10, r10, #1
    orr r10, r10, r0
    bcc .Lchannel

    ldr r0, [sp, #BITS]
    stm r0!, {r10, r11, r12, lr}
    str r0, [sp, #BITS]
    ldr r0, [sp, #BLOCKS]
    subs r0, r0, #1
    str r0, [sp, #BLOCKS]
    bne .Lblock
    add sp, sp, #FRAME_BYTES
    pop {r4-r11, pc}
    .size mcubnn_input_conv2d_tab_sum, . - mcubnn_input_conv2d_tab_sum

#endif
