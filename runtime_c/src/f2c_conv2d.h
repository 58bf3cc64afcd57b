/** @file f2c_conv2d.h
 *  Geometry that both f2c kernels for convolutions share.
 */
#ifndef MCUBNN_F2C_CONV2D_H
#define MCUBNN_F2C_CONV2D_H

#include "check.h"
#include "f2c_core.h"
#include "mcubnn/binary_conv2d_f2c.h"
#include "pooled.h"
#include "taps.h"

/** The map whose pixels have entries. With pad_value 0 it is the input, and windows are clipped.
 *  Else it is the input inside a border of padding pixels, and every window lies in it.
 */
typedef struct {
    uint32_t height;
    uint32_t width;
    uint32_t clip_top;    /**< rows of the first window above the map */
    uint32_t clip_left;   /**< columns of the first window left of the map */
    uint32_t border_top;  /**< rows of padding in the map */
    uint32_t border_left; /**< columns of padding in the map */
} mcubnn_f2c_map;

static inline uint32_t mcubnn_f2c_least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/** The map for given parameters. */
static inline mcubnn_f2c_map mcubnn_f2c_map_of(const mcubnn_binary_conv2d_f2c_params *params) {
    const mcubnn_window *window = &params->window;
    mcubnn_f2c_map map = {
        .height = params->input.height,
        .width = params->input.width,
        .clip_top = window->pad_top,
        .clip_left = window->pad_left,
        .border_top = 0u,
        .border_left = 0u,
    };
    if (params->pad_value != 0) {
        map.height = ((params->output.height - 1u) * window->stride_height) +
                     ((window->kernel_height - 1u) * window->dilation_height) + 1u;
        map.width = ((params->output.width - 1u) * window->stride_width) +
                    ((window->kernel_width - 1u) * window->dilation_width) + 1u;
        map.border_top = mcubnn_f2c_least(window->pad_top, map.height);
        map.border_left = mcubnn_f2c_least(window->pad_left, map.width);
        map.clip_top = 0u;
        map.clip_left = 0u;
    }
    return map;
}

/** Rows of the map under the windows of one row of the output. */
static inline mcubnn_taps mcubnn_f2c_rows(const mcubnn_f2c_map *map, const mcubnn_window *window,
                                          uint32_t output_y) {
    return mcubnn_taps_inside(output_y * window->stride_height, map->clip_top,
                              window->dilation_height, window->kernel_height, map->height);
}

/** Columns of the map under the windows of one column of the output. */
static inline mcubnn_taps mcubnn_f2c_columns(const mcubnn_f2c_map *map, const mcubnn_window *window,
                                             uint32_t output_x) {
    return mcubnn_taps_inside(output_x * window->stride_width, map->clip_left,
                              window->dilation_width, window->kernel_width, map->width);
}

/** Write a pixel of padding; returns the end of it. */
static inline uint32_t *mcubnn_f2c_fill_pad_pixel(const mcubnn_binary_conv2d_f2c_params *params,
                                                  uint32_t *pixel) {
    const uint32_t channels = params->input.channels;
    const uint32_t fill = params->pad_value > 0 ? UINT32_MAX : 0u;
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t unused = MCUBNN_WORD_BITS - mcubnn_channels_in_word(channels, first);
        *pixel = fill >> unused;
        ++pixel;
    }
    return pixel;
}

/** Output channels, if a pixel of them has to wait in scratch for being pooled; else 0. */
static inline uint32_t mcubnn_f2c_pooled_channels(const mcubnn_binary_conv2d_f2c_params *params) {
    return params->pool == NULL ? 0u : params->output.channels;
}

/** A pixel is computed: go to the next or, with a pool, fold it into the output.
 *
 *  @param row, column of the pixel
 */
static inline void mcubnn_f2c_pixel_done(mcubnn_f2c_job *job,
                                         const mcubnn_bit_max_pool_params *pool,
                                         const mcubnn_pool_walk *row,
                                         const mcubnn_pool_walk *column, uint32_t *output) {
    const uint32_t words = (uint32_t)(job->output_end - job->output);
    if (pool == NULL) {
        job->output += words;
        job->output_end += words;
        return;
    }
    mcubnn_pool_pixel(pool, job->output, words, mcubnn_pool_target(pool, row, column, output));
}

/** The parameters can be used, as far as both kernels need the same. */
static inline bool mcubnn_f2c_conv2d_is_valid(const mcubnn_binary_conv2d_f2c_params *params) {
    const mcubnn_window *window = &params->window;
    const uint32_t row_entries =
        mcubnn_f2c_product(window->kernel_width, mcubnn_f2c_entries_for(params->input.channels));
    return mcubnn_geometry_is_valid(&params->input, &params->output, window) &&
           params->pad_value >= -1 && params->pad_value <= 1 &&
           mcubnn_f2c_tables_are_valid(&params->tables) &&
           mcubnn_pool_is_valid(params->pool, &params->output) &&
           (params->row_class == NULL) == (params->column_class == NULL) &&
           mcubnn_f2c_product(row_entries, window->kernel_height) <= MCUBNN_F2C_MOST_ENTRIES;
}

#endif
