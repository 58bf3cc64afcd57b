/** @file input_conv2d_tab.h
 *  Convolution of 8-bit pixels with binary weights to bits, by tables of sums.
 */
#ifndef MCUBNN_INPUT_CONV2D_TAB_H
#define MCUBNN_INPUT_CONV2D_TAB_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_input_conv2d_tab(). */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output;
    mcubnn_window window;                   /**< dilations are 1 */
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    mcubnn_pixel_type input_type;
    uint16_t row_groups;           /**< groups into which the taps of one kernel row are cut */
    uint16_t row_slots;            /**< rows that have room for tables, at least kernel_height */
    const uint16_t *offsets;       /**< [channel][kernel_height][row_groups], then one 0 */
    const uint16_t *starts;        /**< [class][channel], 32768 - threshold */
    const uint8_t *position_class; /**< [out_h][out_w] row of starts, or NULL for row 0 */
} mcubnn_input_conv2d_tab_params;

/** Words of the tables of one row of the map: with n taps in g groups, n % g of the groups have
 *  2^(n / g + 1) entries and the others 2^(n / g). */
#define MCUBNN_INPUT_CONV2D_TAB_ROW_WORDS(row_taps, row_groups)                                    \
    (4u * (((row_groups) + ((row_taps) % (row_groups))) << ((row_taps) / (row_groups))))

/** Output channels, padded. */
#define MCUBNN_INPUT_CONV2D_TAB_CHANNELS(channels) (((channels) + 15u) / 16u * 16u)

/** Scratch of mcubnn_input_conv2d_tab(): tables, start values, one row of the map, bits. */
#define MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES(kernel_width, stride_width, row_groups, row_slots,   \
                                              inputs, outputs)                                     \
    (4u *                                                                                          \
     (((row_slots) * MCUBNN_INPUT_CONV2D_TAB_ROW_WORDS((kernel_width) * (inputs), row_groups)) +   \
      (4u * MCUBNN_INPUT_CONV2D_TAB_CHANNELS(outputs)) +                                           \
      (((2u * (kernel_width)) + (10u * (stride_width))) * (inputs)) +                              \
      (((outputs) + 31u) / 32u * 8u)))

/** Convolution of a map of 8-bit pixels with weights -1 and +1, then one threshold per channel.
 *
 *  As mcubnn_input_conv2d() without multipliers, with an output stage of kind MCUBNN_OUTPUT_BITS:
 *
 *      bit = sum of (weight * pixel) >= threshold
 *
 *  Taps outside the map contribute nothing.
 *
 *  A kernel row has kernel_width * input.channels taps. They are cut into row_groups groups as
 *  even as possible, the larger ones first. For every row of the map and eight neighbouring output
 *  columns, the kernel tabulates what each group can add to a sum: one entry for each combination
 *  of signs. A sum is then one addition per group, for two pixels at once: column i in the low and
 *  column i + 4 in the high half of a word.
 *
 *  Going down the map, each step adds the tables of one row behind the kernel_height - 1 rows it
 *  shares with the step before; when no slot is left, those move to the front. More slots cost
 *  memory and save time.
 *
 *  Channels are padded to a multiple of 16 with channels whose bit is 0. For row y of the kernel
 *  and group g, `offsets` says how many bytes behind the first row's tables a channel's addend
 *  lies:
 *
 *      y * R + G(g) + 16 * s
 *
 *  with R = 16 * sum over the groups of 2^taps, G(g) the same sum over the groups before g, and s
 *  the signs of the group's weights: bit i is 1 if the weight of its tap i is +1. One more element
 *  follows, which is read but not used.
 *
 *  The sums are exact if sum - threshold fits 16 bits for every input; the caller guarantees that.
 *  Time and addresses do not depend on the pixels.
 *
 *  @param context buffer of MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES(..)
 *  @param params  geometry and constants
 *  @param input   pixels of input_type, [input.height][input.width][input.channels]
 *  @param output  bits, [output.height][output.width][words]; must not overlap input or scratch
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL, a dimension or stride is 0, a dilation is not
 *                                1, the pool is invalid, or there are too few slots, more than 31
 *                                groups, more than 7 taps in a group or 65536 bytes of tables;
 *                                nothing is written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_input_conv2d_tab(const mcubnn_context *context,
                                      const mcubnn_input_conv2d_tab_params *params,
                                      const void *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
