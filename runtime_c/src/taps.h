/** @file taps.h
 *  Which taps of a window lie inside the map, so that inner loops need no bounds checks.
 */
#ifndef MCUBNN_TAPS_H
#define MCUBNN_TAPS_H

#include "mcubnn/types.h"

/** The taps begin <= k < end of one axis lie inside the map, tap k at start + (k - begin) * step.
 */
typedef struct {
    uint32_t begin;
    uint32_t end;
    uint32_t start; /**< row or column of tap `begin`; meaningful if begin < end */
    uint32_t step;  /**< rows or columns between taps: the dilation */
} mcubnn_taps;

/** The taps of one window along both axes. */
typedef struct {
    mcubnn_taps rows;
    mcubnn_taps columns;
} mcubnn_patch;

/** Taps inside the map along one axis.
 *
 *  Tap k lies at origin + k * dilation - pad, where origin is the output index times the stride;
 *  it is inside if 0 <= that < size.
 */
static inline mcubnn_taps mcubnn_taps_inside(uint32_t origin, uint32_t pad, uint32_t dilation,
                                             uint32_t kernel, uint32_t size) {
    mcubnn_taps taps = {.begin = 0u, .end = kernel, .start = 0u, .step = dilation};
    const uint32_t limit = size + pad; /* inside: pad <= origin + k * dilation < limit */
    if (origin >= limit) {
        taps.end = 0u;
    } else if (origin + ((kernel - 1u) * dilation) >= limit) {
        taps.end = ((limit - origin - 1u) / dilation) + 1u;
    }
    if (origin < pad) {
        taps.begin = ((pad - origin - 1u) / dilation) + 1u;
    }
    if (taps.begin < taps.end) {
        taps.start = origin + (taps.begin * dilation) - pad;
    } else {
        taps.begin = taps.end;
    }
    return taps;
}

/** Rows of the window for one row of the output. */
static inline mcubnn_taps mcubnn_row_taps(const mcubnn_window *window, const mcubnn_dims *input,
                                          uint32_t output_y) {
    return mcubnn_taps_inside(output_y * window->stride_height, window->pad_top,
                              window->dilation_height, window->kernel_height, input->height);
}

/** Columns of the window for one column of the output. */
static inline mcubnn_taps mcubnn_column_taps(const mcubnn_window *window, const mcubnn_dims *input,
                                             uint32_t output_x) {
    return mcubnn_taps_inside(output_x * window->stride_width, window->pad_left,
                              window->dilation_width, window->kernel_width, input->width);
}

/** Index of the pixel under tap (row, column), both inside the map. */
static inline uint32_t mcubnn_tap_pixel(const mcubnn_patch *patch, uint32_t map_width, uint32_t row,
                                        uint32_t column) {
    const uint32_t y = patch->rows.start + ((row - patch->rows.begin) * patch->rows.step);
    const uint32_t x =
        patch->columns.start + ((column - patch->columns.begin) * patch->columns.step);
    return (y * map_width) + x;
}

#endif
