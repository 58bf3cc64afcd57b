#include "mcubnn/int8_max_pool.h"

#include "bits.h"
#include "check.h"
#include "pixel.h"
#include "taps.h"

/** One channel of one output pixel: the stored byte of the greatest or smallest value. */
static uint8_t pool_channel(const mcubnn_int8_max_pool_params *params, const mcubnn_patch *patch,
                            const uint8_t *input, uint32_t channel) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    const uint32_t channels = params->input.channels;
    const bool minimum = params->minimum != NULL && mcubnn_bit_is_set(params->minimum, channel);
    int32_t best = minimum ? INT32_MAX : INT32_MIN;
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        for (uint32_t column = patch->columns.begin; column < patch->columns.end; ++column) {
            const uint32_t pixel = mcubnn_tap_pixel(patch, params->input.width, row, column);
            const int32_t value = mcubnn_pixel_value(input[(pixel * channels) + channel], sign_bit);
            if (minimum ? value < best : value > best) {
                best = value;
            }
        }
    }
    return (uint8_t)best;
}

static bool params_are_valid(const mcubnn_int8_max_pool_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           mcubnn_pixel_type_is_valid(params->input_type) &&
           params->input.channels == params->output.channels;
}

mcubnn_status mcubnn_int8_max_pool(const mcubnn_context *context,
                                   const mcubnn_int8_max_pool_params *params, const void *input,
                                   void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    uint8_t *output_byte = (uint8_t *)output;
    mcubnn_patch patch;
    for (uint32_t y = 0u; y < params->output.height; ++y) {
        patch.rows = mcubnn_row_taps(&params->window, &params->input, y);
        for (uint32_t x = 0u; x < params->output.width; ++x) {
            patch.columns = mcubnn_column_taps(&params->window, &params->input, x);
            for (uint32_t channel = 0u; channel < params->input.channels; ++channel) {
                *output_byte = pool_channel(params, &patch, (const uint8_t *)input, channel);
                ++output_byte;
            }
        }
    }
    return MCUBNN_SUCCESS;
}
