/** @file mcubnn.h
 *  Everything: types and all kernels.
 */
#ifndef MCUBNN_MCUBNN_H
#define MCUBNN_MCUBNN_H

#include "mcubnn/binary_conv2d.h"
#include "mcubnn/binary_conv2d_f2c_pixel.h"
#include "mcubnn/binary_conv2d_f2c_rows.h"
#include "mcubnn/binary_conv2d_f2t.h"
#include "mcubnn/binary_conv2d_mdfa.h"
#include "mcubnn/binary_dense.h"
#include "mcubnn/binary_dense_f2c.h"
#include "mcubnn/binary_dense_mdfa.h"
#include "mcubnn/bit_max_pool.h"
#include "mcubnn/input_conv2d.h"
#include "mcubnn/input_conv2d_tab.h"
#include "mcubnn/input_dense.h"
#include "mcubnn/int8_conv2d.h"
#include "mcubnn/int8_dense.h"
#include "mcubnn/int8_max_pool.h"
#include "mcubnn/threshold.h"
#include "mcubnn/types.h"
#include "mcubnn/unpack_bits.h"

#endif
