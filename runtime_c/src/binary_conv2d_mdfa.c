#include "mcubnn/binary_conv2d_mdfa.h"

#include "check.h"
#include "mdfa_core.h"
#include "output_stage.h"
#include "pooled.h"
#include "taps.h"

/** Append taps outside the map. */
static void append_padding(mcubnn_mdfa_row *row, const mcubnn_binary_conv2d_mdfa_params *params,
                           uint32_t taps) {
    const uint32_t channels = params->input.channels;
    for (uint32_t tap = 0u; tap < taps; ++tap) {
        for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
            const uint32_t used = mcubnn_channels_in_word(channels, first);
            const uint32_t ones = UINT32_MAX >> (MCUBNN_WORD_BITS - used);
            mcubnn_mdfa_append(row, params->pad_value > 0 ? ones : 0u);
        }
    }
}

/** Append the taps begin .. end - 1 of a row of the window, from the first one's pixel on. */
static void append_pixels(mcubnn_mdfa_row *row, const uint32_t *pixel, uint32_t words,
                          const mcubnn_taps *taps) {
    if (taps->step == 1u) {
        mcubnn_mdfa_append_words(row, pixel, (taps->end - taps->begin) * words);
        return;
    }
    for (uint32_t tap = taps->begin; tap < taps->end; ++tap) {
        mcubnn_mdfa_append_words(row, pixel, words);
        pixel += taps->step * words;
    }
}

/** The row of the input under a window. */
static void gather(const mcubnn_binary_conv2d_mdfa_params *params, const mcubnn_patch *patch,
                   const uint32_t *input, uint32_t *words) {
    const uint32_t pixel_words = mcubnn_words_for(params->input.channels);
    const uint32_t kernel_height = params->window.kernel_height;
    const uint32_t kernel_width = params->window.kernel_width;
    const mcubnn_taps *columns = &patch->columns;
    mcubnn_mdfa_row row = {.next = words, .parity = 0u};
    for (uint32_t y = 0u; y < kernel_height; ++y) {
        const bool inside = y >= patch->rows.begin && y < patch->rows.end;
        append_padding(&row, params, inside ? columns->begin : kernel_width);
        if (inside && columns->begin < columns->end) {
            const uint32_t pixel = mcubnn_tap_pixel(patch, params->input.width, y, columns->begin);
            append_pixels(&row, input + (pixel * pixel_words), pixel_words, columns);
        }
        append_padding(&row, params, inside ? kernel_width - columns->end : 0u);
    }
    mcubnn_mdfa_end(&row, kernel_height * kernel_width * pixel_words);
}

/** All channels of one pixel.
 *
 *  @param row       the input under its window
 *  @param row_words words of it
 *  @param inputs    under a window
 */
static void convolve_pixel(const mcubnn_binary_conv2d_mdfa_params *params, const uint32_t *row,
                           uint32_t row_words, int32_t inputs, const mcubnn_output_walk *walk) {
    const uint32_t channels = params->output.channels;
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        mcubnn_mdfa_sums(row, weights, row_words, inputs, count, sums);
        mcubnn_output_walk_write(walk, &params->output_stage, first, count, sums);
        weights += row_words * count;
    }
}

static bool params_are_valid(const mcubnn_binary_conv2d_mdfa_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           (params->pad_value == -1 || params->pad_value == 1) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output.channels) &&
           mcubnn_pool_is_valid(params->pool, &params->output) &&
           (params->pool == NULL || params->output_stage.kind == MCUBNN_OUTPUT_BITS);
}

mcubnn_status mcubnn_binary_conv2d_mdfa(const mcubnn_context *context,
                                        const mcubnn_binary_conv2d_mdfa_params *params,
                                        const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t taps = (uint32_t)params->window.kernel_height * params->window.kernel_width;
    const uint32_t row_words =
        mcubnn_mdfa_row_words(taps * mcubnn_words_for(params->input.channels));
    if (context == NULL || context->buffer == NULL || context->size_bytes / 4u < row_words) {
        return MCUBNN_ERROR_SCRATCH;
    }
    uint32_t *row = (uint32_t *)context->buffer;
    const int32_t inputs = (int32_t)(taps * params->input.channels);
    const mcubnn_dims *map = &params->output;
    mcubnn_output_walk walk = mcubnn_output_walk_of(params->pool, map, output);
    mcubnn_patch patch;
    for (; walk.rows.at < map->height; mcubnn_pool_step(&walk.rows)) {
        patch.rows = mcubnn_row_taps(&params->window, &params->input, walk.rows.at);
        walk.columns = mcubnn_pool_columns(params->pool, map);
        for (; walk.columns.at < map->width; mcubnn_pool_step(&walk.columns)) {
            patch.columns = mcubnn_column_taps(&params->window, &params->input, walk.columns.at);
            gather(params, &patch, input, row);
            convolve_pixel(params, row, row_words, inputs, &walk);
        }
    }
    return MCUBNN_SUCCESS;
}
