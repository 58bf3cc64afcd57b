/* void mcubnn_f2c_list(mcubnn_f2c_lists *lists, const uint32_t *pixels, uint32_t count,
 *                      uint32_t quads), for Cortex-M with Thumb-1 (Armv6-M and Armv8-M Baseline);
 * see ../f2c_core.h.
 *
 * An entry is the offset in bytes of the input's weight word: 4 times its number. Four channels are
 * entered at a time: for each pattern of 4 bits there is code of its own that stores each entry
 * where it belongs. All these codes have the same length, so that the pattern gives the address.
 */
#include "../f2c_layout.h"

#if MCUBNN_F2C_THUMB1

        .syntax unified
        .thumb

e0      .req    r0              /* entries of the quad */
e1      .req    r1
e2      .req    r2
e3      .req    r3
left    .req    r4              /* end of the set entries */
right   .req    r5              /* begin of the unset entries */
bits    .req    r6              /* from the quad's first channel on */
t       .req    r7              /* temporary */
word_end .req   r8              /* e0 behind the last quad of this word */
pixel_end .req  r9              /* e0 behind the last quad of this pixel */
pixel   .req    r10             /* next word */
count   .req    r11             /* pixels left, this one included */
lists   .req    r12
starts  .req    lr

        .set    QUADS, 16               /* on the stack: quads of a pixel */
        .set    LOG2_CODE_BYTES, 4      /* of the code for one pattern */

/* Store the entries of a quad with a pattern and step over them. */
.macro ENTER pattern
        .set    unset, 4 - (\pattern & 1) - (\pattern >> 1 & 1) - (\pattern >> 2 & 1) - (\pattern >> 3)
        .set    to_left, 0
        .set    to_right, 2 * unset
        .if     unset
        subs    right, right, #2 * unset
        .endif
        ENTER_ONE e0, (\pattern & 1)
        ENTER_ONE e1, (\pattern >> 1 & 1)
        ENTER_ONE e2, (\pattern >> 2 & 1)
        ENTER_ONE e3, (\pattern >> 3)
        .if     to_left
        adds    left, left, #to_left
        .endif
        b       .Lquad_is_entered
        .org    .Lpatterns + ((\pattern + 1) << LOG2_CODE_BYTES)
.endm

.macro ENTER_ONE entry, is_set
        .if     \is_set
        strh    \entry, [left, #to_left]
        .set    to_left, to_left + 2
        .else
        .set    to_right, to_right - 2
        strh    \entry, [right, #to_right]
        .endif
.endm

        .section .mcubnn_hot.mcubnn_f2c_list, "ax", %progbits
        .balign 4
        .global mcubnn_f2c_list
        .type   mcubnn_f2c_list, %function
        .thumb_func
mcubnn_f2c_list:
        push    {r3-r7, lr}             /* r3: QUADS */
        mov     r4, r8
        mov     r5, r9
        mov     r6, r10
        mov     r7, r11
        push    {r4-r7}
        mov     lists, r0
        mov     pixel, r1
        mov     count, r2
        ldr     t, [r0, #MCUBNN_F2C_LISTS_STARTS]
        mov     starts, t
        ldr     left, [r0, #MCUBNN_F2C_LISTS_SET_END]
        ldr     right, [r0, #MCUBNN_F2C_LISTS_UNSET_BEGIN]
        ldr     e0, [r0, #MCUBNN_F2C_LISTS_NEXT]
        lsls    e0, e0, #2
        adds    e1, e0, #4
        adds    e2, e1, #4
        adds    e3, e2, #4

.Lnext_pixel:
        ldr     t, [sp, #QUADS]
        lsls    t, t, #4
        adds    t, t, e0
        mov     pixel_end, t
.Lnext_word:
        mov     t, pixel
        ldm     t!, {bits}
        mov     pixel, t
        mov     t, e0
        adds    t, t, #128
        cmp     t, pixel_end
        bls     .Lword_has_end
        mov     t, pixel_end
.Lword_has_end:
        mov     word_end, t
        b       .Lquad

.Lword_is_done:
        cmp     e0, pixel_end
        bne     .Lnext_word
        mov     t, lists
        ldr     t, [t, #MCUBNN_F2C_LISTS_ENTRIES]
        subs    t, left, t
        lsrs    t, t, #1
        mov     bits, starts
        strh    t, [bits]
        adds    bits, bits, #2
        mov     starts, bits
        mov     t, count
        subs    t, t, #1
        mov     count, t
        bne     .Lnext_pixel

        mov     t, lists
        lsrs    e0, e0, #2
        str     left, [t, #MCUBNN_F2C_LISTS_SET_END]
        str     right, [t, #MCUBNN_F2C_LISTS_UNSET_BEGIN]
        str     bits, [t, #MCUBNN_F2C_LISTS_STARTS]
        str     e0, [t, #MCUBNN_F2C_LISTS_NEXT]
        pop     {r4-r7}
        mov     r8, r4
        mov     r9, r5
        mov     r10, r6
        mov     r11, r7
        pop     {r3-r7, pc}

.Lquad_is_entered:
        adds    e0, e0, #16
        adds    e1, e1, #16
        adds    e2, e2, #16
        adds    e3, e3, #16
        cmp     e0, word_end
        beq     .Lword_is_done
.Lquad:
        lsls    t, bits, #28
        lsrs    t, t, #28 - LOG2_CODE_BYTES
        lsrs    bits, bits, #4
        add     pc, pc, t               /* the PC is two instructions ahead */
        nop
.Lpatterns:
        .irp    pattern, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        ENTER   \pattern
        .endr
        .size   mcubnn_f2c_list, . - mcubnn_f2c_list

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
