/** @file check.h
 *  Argument checks that kernels share; each is true if the argument can be used.
 */
#ifndef MCUBNN_CHECK_H
#define MCUBNN_CHECK_H

#include "mcubnn/types.h"

/** No dimension is 0. */
bool mcubnn_dims_are_valid(const mcubnn_dims *dims);

/** Both shapes are valid and no kernel size, stride or dilation is 0. */
bool mcubnn_geometry_is_valid(const mcubnn_dims *input, const mcubnn_dims *output,
                              const mcubnn_window *window);

/** An 8-bit type. */
bool mcubnn_pixel_type_is_valid(mcubnn_pixel_type type);

/** The kind is known, its tables are there and it has as many channels as the sums. */
bool mcubnn_output_stage_is_valid(const mcubnn_output_stage *stage, uint32_t channels);

#endif
