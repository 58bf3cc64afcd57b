#include "mcubnn/int8_conv2d.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"
#include "pixel.h"
#include "taps.h"

/** Sum of products over the taps inside the map, for one output channel's weights. */
static int32_t sum_window(const mcubnn_int8_conv2d_params *params, const mcubnn_patch *patch,
                          const uint8_t *input, const int8_t *weights) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    const uint32_t channels = params->input.channels;
    const uint32_t kernel_width = params->window.kernel_width;
    int32_t sum = 0;
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        for (uint32_t column = patch->columns.begin; column < patch->columns.end; ++column) {
            const uint32_t pixel = mcubnn_tap_pixel(patch, params->input.width, row, column);
            const uint32_t tap = (row * kernel_width) + column;
            sum += mcubnn_dot_s8(input + (pixel * channels), sign_bit, weights + (tap * channels),
                                 channels);
        }
    }
    return sum;
}

/** All channels of one output pixel. */
static void convolve_pixel(const mcubnn_int8_conv2d_params *params, const mcubnn_patch *patch,
                           const uint8_t *input, uint32_t output_pixel, void *output) {
    const uint32_t channels = params->output.channels;
    const uint32_t kernel_taps =
        (uint32_t)params->window.kernel_height * params->window.kernel_width;
    const int8_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(channels, first);
        for (uint32_t i = 0u; i < count; ++i) {
            sums[i] = sum_window(params, patch, input, weights);
            weights += kernel_taps * params->input.channels;
        }
        mcubnn_output_stage_write(&params->output_stage, output_pixel, first, count, sums, output);
    }
}

static bool params_are_valid(const mcubnn_int8_conv2d_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           mcubnn_pixel_type_is_valid(params->input_type) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output.channels);
}

mcubnn_status mcubnn_int8_conv2d(const mcubnn_context *context,
                                 const mcubnn_int8_conv2d_params *params, const void *input,
                                 void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    mcubnn_patch patch;
    uint32_t output_pixel = 0u;
    for (uint32_t y = 0u; y < params->output.height; ++y) {
        patch.rows = mcubnn_row_taps(&params->window, &params->input, y);
        for (uint32_t x = 0u; x < params->output.width; ++x) {
            patch.columns = mcubnn_column_taps(&params->window, &params->input, x);
            convolve_pixel(params, &patch, (const uint8_t *)input, output_pixel, output);
            ++output_pixel;
        }
    }
    return MCUBNN_SUCCESS;
}
