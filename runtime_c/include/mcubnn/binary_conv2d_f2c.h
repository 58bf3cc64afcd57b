/** @file binary_conv2d_f2c.h
 *  Parameters of the f2c kernels for convolutions.
 */
#ifndef MCUBNN_BINARY_CONV2D_F2C_H
#define MCUBNN_BINARY_CONV2D_F2C_H

#include "mcubnn/bit_max_pool.h"
#include "mcubnn/f2c.h"
#include "mcubnn/types.h"

/** Parameters of mcubnn_binary_conv2d_f2c_rows() and mcubnn_binary_conv2d_f2c_pixel().
 *
 *  With pad_value 0 the taps outside the map have no entries. With pad_value -1 or +1 they have
 *  entries, whose activations are constant.
 */
typedef struct {
    mcubnn_dims input;
    mcubnn_dims output;
    mcubnn_window window;
    const mcubnn_bit_max_pool_params *pool; /**< of the output bits, or NULL */
    int8_t pad_value;                       /**< 0, -1 or +1 */
    mcubnn_f2c_tables tables;               /**< entries are [kernel_h][kernel_w][entry channel] */
    const uint16_t *row_class; /**< [output.height], threshold class; NULL if there is one only */
    const uint16_t *column_class; /**< [output.width], added to row_class; NULL if row_class is */
} mcubnn_binary_conv2d_f2c_params;

#endif
