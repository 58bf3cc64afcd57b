#include "mcubnn/binary_conv2d.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"
#include "pooled.h"
#include "taps.h"

/** Sum of products over the taps inside the map, for one output channel's weights. */
static int32_t inside_sum(const mcubnn_binary_conv2d_params *params, const mcubnn_patch *patch,
                          const uint32_t *input, const uint32_t *weights) {
    const uint32_t words = mcubnn_words_for(params->input.channels);
    const uint32_t kernel_width = params->window.kernel_width;
    uint32_t taps = 0u;
    uint32_t differing = 0u;
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        const uint32_t first = patch->columns.begin;
        const uint32_t *pixel =
            input + (mcubnn_tap_pixel(patch, params->input.width, row, first) * words);
        const uint32_t *weight = weights + (((row * kernel_width) + first) * words);
        for (uint32_t column = first; column < patch->columns.end; ++column) {
            differing += mcubnn_differing_bits(pixel, weight, words);
            pixel += patch->columns.step * words;
            weight += words;
            ++taps;
        }
    }
    return (int32_t)(taps * params->input.channels) - (2 * (int32_t)differing);
}

/** Sum of one output channel's weights over the taps outside the map. */
static int32_t outside_sum(const mcubnn_binary_conv2d_params *params, const mcubnn_patch *patch,
                           const uint32_t *weights) {
    const uint32_t words = mcubnn_words_for(params->input.channels);
    const mcubnn_taps *rows = &patch->rows;
    const mcubnn_taps *columns = &patch->columns;
    uint32_t taps = 0u;
    uint32_t positive = 0u;
    for (uint32_t row = 0u; row < params->window.kernel_height; ++row) {
        for (uint32_t column = 0u; column < params->window.kernel_width; ++column) {
            const bool inside = row >= rows->begin && row < rows->end && column >= columns->begin &&
                                column < columns->end;
            if (!inside) {
                positive += mcubnn_set_bits(weights, words);
                ++taps;
            }
            weights += words;
        }
    }
    return (2 * (int32_t)positive) - (int32_t)(taps * params->input.channels);
}

/** All channels of one pixel. */
static void convolve_pixel(const mcubnn_binary_conv2d_params *params, const mcubnn_patch *patch,
                           const uint32_t *input, const mcubnn_output_walk *walk) {
    const uint32_t channels = params->output.channels;
    const uint32_t kernel_taps =
        (uint32_t)params->window.kernel_height * params->window.kernel_width;
    const uint32_t weight_words = kernel_taps * mcubnn_words_for(params->input.channels);
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        for (uint32_t i = 0u; i < count; ++i) {
            sums[i] = inside_sum(params, patch, input, weights);
            if (params->pad_value != 0) {
                sums[i] += params->pad_value * outside_sum(params, patch, weights);
            }
            weights += weight_words;
        }
        mcubnn_output_walk_write(walk, &params->output_stage, first, count, sums);
    }
}

static bool params_are_valid(const mcubnn_binary_conv2d_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           params->pad_value >= -1 && params->pad_value <= 1 && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output.channels) &&
           mcubnn_pool_is_valid(params->pool, &params->output) &&
           (params->pool == NULL || params->output_stage.kind == MCUBNN_OUTPUT_BITS);
}

mcubnn_status mcubnn_binary_conv2d(const mcubnn_context *context,
                                   const mcubnn_binary_conv2d_params *params, const uint32_t *input,
                                   void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const mcubnn_dims *map = &params->output;
    mcubnn_output_walk walk = mcubnn_output_walk_of(params->pool, map, output);
    mcubnn_patch patch;
    for (; walk.rows.at < map->height; mcubnn_pool_step(&walk.rows)) {
        patch.rows = mcubnn_row_taps(&params->window, &params->input, walk.rows.at);
        walk.columns = mcubnn_pool_columns(params->pool, map);
        for (; walk.columns.at < map->width; mcubnn_pool_step(&walk.columns)) {
            patch.columns = mcubnn_column_taps(&params->window, &params->input, walk.columns.at);
            convolve_pixel(params, &patch, input, &walk);
        }
    }
    return MCUBNN_SUCCESS;
}
