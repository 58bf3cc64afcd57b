/** @file binary_conv2d_f2t.h
 *  Convolution of a map of bits with binary weights: the fast variant for few channels, bits as
 *  output.
 */
#ifndef MCUBNN_BINARY_CONV2D_F2T_H
#define MCUBNN_BINARY_CONV2D_F2T_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters of mcubnn_binary_conv2d_f2t(); the terms are explained below. */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output;
    mcubnn_window window;                   /**< strides 1 */
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    int8_t pad_value;                       /**< -1 or +1: value of the taps outside the map */
    uint8_t threshold_bits;                 /**< digits of a threshold, 6..20 */
    uint16_t classes;                       /**< rows of thresholds, at least 1 */
    const uint16_t *lists;                  /**< of all inputs, then of each channel's, see below */
    const uint16_t *list_eights;            /**< [channel] entries of its list / 8 */
    const uint32_t *thresholds;             /**< [class][channel], complemented */
    const uint32_t *inverted;               /**< bit per channel: negate the comparison */
    const uint32_t *lanes; /**< [class][lane word] whose outputs use the class; NULL for 1 class */
} mcubnn_binary_conv2d_f2t_params;

/** Scratch of mcubnn_binary_conv2d_f2t().
 *
 *  @param plane_words words of a plane: (last lane + offset of the last tap) / 32 + 2
 *  @param channels    input channels
 *  @param taps        of the window
 */
#define MCUBNN_BINARY_CONV2D_F2T_SCRATCH_BYTES(plane_words, channels, taps)                        \
    ((((plane_words) * (channels)) + ((((taps) * (channels)) + 7u) / 8u * 8u) + 1u) * 4u)

/** Convolution of a map of bits with binary weights.
 *
 *  Computes what mcubnn_binary_conv2d() computes with thresholds as output stage. Neither time nor
 *  addresses depend on the input's values.
 *
 *  A word holds one bit of 32 pixels. The padded map is numbered row by row; output pixel (y, x)
 *  has the number of its window's first pixel, its lane. So the inputs of 32 lanes at one tap are
 *  32 bits in a row of one channel's plane, at an offset that depends on the tap only. Lanes
 *  between the rows of the output are computed too, and dropped.
 *
 *  With A set inputs under a window, P of them on the channel's list of weights +1, and T the sum
 *  of the weights, the sum is 4 P - 2 A - T; it reaches t where 2 P - A >= ceil((t + T) / 2) = r.
 *  If there are fewer weights -1, these are listed: then it does where not 2 P - A >= 1 - r. The
 *  kernel counts m - A + 2 P in bit-sliced counters, where m = 2^(threshold_bits - 1) - 1; a
 *  threshold is r + m. A list has the numbers of inputs, [kernel_h][kernel_w][channel], and is
 *  filled up to a multiple of 8 entries by the number behind the last input. The first list has all
 *  inputs.
 *
 *  @param context buffer of MCUBNN_BINARY_CONV2D_F2T_SCRATCH_BYTES(plane words, channels, taps)
 *  @param params  geometry and constants; at most 65535 inputs under a window
 *  @param input   bits, [input.height][input.width][words]
 *  @param output  bits, [output.height][output.width][words]; must not overlap input
 *  @retval MCUBNN_SUCCESS        the output is complete
 *  @retval MCUBNN_ERROR_ARGUMENT a pointer is NULL or a parameter is not as said above; nothing is
 *                                written
 *  @retval MCUBNN_ERROR_SCRATCH  the context's buffer is too small; nothing is written
 */
mcubnn_status mcubnn_binary_conv2d_f2t(const mcubnn_context *context,
                                       const mcubnn_binary_conv2d_f2t_params *params,
                                       const uint32_t *input, void *output);

#ifdef __cplusplus
}
#endif

#endif
