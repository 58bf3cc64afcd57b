#include "mcubnn/input_conv2d.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"
#include "pixel.h"
#include "pooled.h"
#include "taps.h"

/** Add one pixel, under one tap, to the sums of a block of output channels. */
static void add_pixel(const mcubnn_input_conv2d_params *params, const uint8_t *pixel,
                      const uint32_t *weights, uint32_t count, int32_t *sums) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    const int32_t *multipliers = params->channel_multipliers;
    for (uint32_t channel = 0u; channel < params->input.channels; ++channel) {
        const int32_t multiplier = multipliers == NULL ? 1 : multipliers[channel];
        const int32_t value = multiplier * mcubnn_pixel_value(pixel[channel], sign_bit);
        mcubnn_add_signed(sums, count, weights[channel], value);
    }
}

/** The sums of a block of output channels for one window. */
static void sum_window(const mcubnn_input_conv2d_params *params, const mcubnn_patch *patch,
                       const uint8_t *input, const uint32_t *weights, uint32_t count,
                       int32_t *sums) {
    const uint32_t channels = params->input.channels;
    const uint32_t kernel_width = params->window.kernel_width;
    for (uint32_t i = 0u; i < count; ++i) {
        sums[i] = 0;
    }
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        for (uint32_t column = patch->columns.begin; column < patch->columns.end; ++column) {
            const uint32_t pixel = mcubnn_tap_pixel(patch, params->input.width, row, column);
            const uint32_t tap = (row * kernel_width) + column;
            add_pixel(params, input + (pixel * channels), weights + (tap * channels), count, sums);
        }
    }
}

/** All channels of one pixel. */
static void convolve_pixel(const mcubnn_input_conv2d_params *params, const mcubnn_patch *patch,
                           const uint8_t *input, const mcubnn_output_walk *walk) {
    const uint32_t channels = params->output.channels;
    const uint32_t kernel_taps =
        (uint32_t)params->window.kernel_height * params->window.kernel_width;
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        sum_window(params, patch, input, weights, count, sums);
        mcubnn_output_walk_write(walk, &params->output_stage, first, count, sums);
        weights += kernel_taps * params->input.channels;
    }
}

static bool params_are_valid(const mcubnn_input_conv2d_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           mcubnn_pixel_type_is_valid(params->input_type) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output.channels) &&
           mcubnn_pool_is_valid(params->pool, &params->output) &&
           (params->pool == NULL || params->output_stage.kind == MCUBNN_OUTPUT_BITS);
}

mcubnn_status mcubnn_input_conv2d(const mcubnn_context *context,
                                  const mcubnn_input_conv2d_params *params, const void *input,
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
            convolve_pixel(params, &patch, (const uint8_t *)input, &walk);
        }
    }
    return MCUBNN_SUCCESS;
}
