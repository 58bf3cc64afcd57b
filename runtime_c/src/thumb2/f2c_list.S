/* void mcubnn_f2c_list(mcubnn_f2c_lists *lists, const uint32_t *pixels, uint32_t count,
 *                      uint32_t quads), for Cortex-M with Thumb-2; see ../f2c_core.h.
 *
 * An entry is the input's number. Four channels are entered at a time: a table gives, for each
 * pattern of 4 bits, the four positions as halfwords, first those that are set, then the others.
 * The same 8 bytes are stored twice: at the left list's end, where the first entries are wanted,
 * and before the right list's begin, where the last ones are. What each store has too much falls
 * between the lists, which are at least 8 bytes apart because four entries are still to come; the
 * next stores overwrite it. The last quad stores the same bytes to the same place twice.
 */
#include "../f2c_layout.h"

#if MCUBNN_F2C_THUMB2

        .syntax unified
        .thumb

x       .req    r1              /* entries of the quad: first and second */
y       .req    r2              /* third and fourth */
size    .req    r3              /* bytes of those that are set */
left    .req    r4              /* end of the set entries */
right   .req    r5              /* begin of the unset entries, plus 8 bytes per set quad so far */
number  .req    r6              /* number of the last quad's first input, in both halfwords */
row     .req    r7              /* the pattern's row in the table */
table   .req    r8
bits    .req    r9
pixel   .req    r10
quads   .req    r11             /* left in this pixel */
count   .req    r12             /* pixels left */
lists   .req    lr

/* Enter the quad in bits 4 i .. 4 i + 3. `right` stays too high by 8 bytes, which the offset and
 * the caller make up for: right end minus unset bytes = right end - 8 + set bytes.
 */
.macro QUAD i
        ubfx    row, bits, #4 * \i, #4
        add     row, table, row, lsl #4
        add     number, number, #0x00040004     /* here, lest ldm wait for its address */
        ldm     row, {x, y, size}
        adds    x, x, number
        adds    y, y, number
        str     x, [left]
        str     y, [left, #4]
        str     x, [right, #-8 * \i - 8]
        str     y, [right, #-8 * \i - 4]
        add     left, left, size
        add     right, right, size
.endm

/* A row of the table: positions, and bytes of the set ones. */
.macro ROW p0, p1, p2, p3, set
        .hword  \p0, \p1, \p2, \p3
        .word   2 * \set, 0
.endm

        .section .mcubnn_hot.mcubnn_f2c_list, "ax", %progbits
        .balign 4
        .global mcubnn_f2c_list
        .type   mcubnn_f2c_list, %function
        .thumb_func
mcubnn_f2c_list:
        push    {r3-r11, lr}            /* r3 last: [sp] is the number of quads of a pixel */
        mov     lists, r0
        mov     pixel, r1
        mov     count, r2
        adr     table, .Lpatterns
        ldrd    left, right, [lists, #MCUBNN_F2C_LISTS_SET_END]
        ldr     number, [lists, #MCUBNN_F2C_LISTS_NEXT]
        orr     number, number, number, lsl #16
        sub     number, number, #0x00040004     /* QUAD begins with the next one */

.Lnext_pixel:
        ldr     quads, [sp]
        subs    quads, quads, #8
        blo     .Lsingle_quads
.Lword:
        ldr     bits, [pixel], #4
        QUAD    0
        QUAD    1
        QUAD    2
        QUAD    3
        QUAD    4
        QUAD    5
        QUAD    6
        QUAD    7
        subs    right, right, #64
        subs    quads, quads, #8
        bhs     .Lword
.Lsingle_quads:
        adds    quads, quads, #8
        beq     .Lpixel_is_done
        ldr     bits, [pixel], #4
.Lsingle_quad:
        QUAD    0
        subs    right, right, #8
        lsr     bits, bits, #4
        subs    quads, quads, #1
        bne     .Lsingle_quad
.Lpixel_is_done:
        ldr     x, [lists, #MCUBNN_F2C_LISTS_ENTRIES]
        ldr     y, [lists, #MCUBNN_F2C_LISTS_STARTS]
        subs    x, left, x
        lsrs    x, x, #1
        strh    x, [y], #2
        str     y, [lists, #MCUBNN_F2C_LISTS_STARTS]
        subs    count, count, #1
        bne     .Lnext_pixel

        strd    left, right, [lists, #MCUBNN_F2C_LISTS_SET_END]
        adds    number, number, #4
        uxth    number, number
        str     number, [lists, #MCUBNN_F2C_LISTS_NEXT]
        pop     {r3-r11, pc}

        .balign 4
.Lpatterns:
        ROW     0, 1, 2, 3, 0
        ROW     0, 1, 2, 3, 1
        ROW     1, 0, 2, 3, 1
        ROW     0, 1, 2, 3, 2
        ROW     2, 0, 1, 3, 1
        ROW     0, 2, 1, 3, 2
        ROW     1, 2, 0, 3, 2
        ROW     0, 1, 2, 3, 3
        ROW     3, 0, 1, 2, 1
        ROW     0, 3, 1, 2, 2
        ROW     1, 3, 0, 2, 2
        ROW     0, 1, 3, 2, 3
        ROW     2, 3, 0, 1, 2
        ROW     0, 2, 3, 1, 3
        ROW     1, 2, 3, 0, 3
        ROW     0, 1, 2, 3, 4
        .size   mcubnn_f2c_list, . - mcubnn_f2c_list

#endif

#if defined(__linux__) && defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif
