#include "mcubnn/threshold.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"
#include "pixel.h"

/** Elements first .. first + count - 1 of the input as int32. */
static void read_elements(mcubnn_pixel_type type, const void *input, uint32_t first, uint32_t count,
                          int32_t *values) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(type);
    for (uint32_t i = 0u; i < count; ++i) {
        if (type == MCUBNN_PIXEL_S32) {
            values[i] = ((const int32_t *)input)[first + i];
        } else {
            values[i] = mcubnn_pixel_value(((const uint8_t *)input)[first + i], sign_bit);
        }
    }
}

static bool params_are_valid(const mcubnn_threshold_params *params) {
    const mcubnn_pixel_type type = params->input_type;
    return mcubnn_dims_are_valid(&params->input) &&
           (mcubnn_pixel_type_is_valid(type) || type == MCUBNN_PIXEL_S32) &&
           params->output_stage.kind == MCUBNN_OUTPUT_BITS &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->input.channels);
}

mcubnn_status mcubnn_threshold(const mcubnn_context *context, const mcubnn_threshold_params *params,
                               const void *input, void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t channels = params->input.channels;
    const uint32_t pixels = (uint32_t)params->input.height * params->input.width;
    int32_t values[MCUBNN_WORD_BITS];
    for (uint32_t pixel = 0u; pixel < pixels; ++pixel) {
        for (uint32_t first = 0u; first < channels; first += MCUBNN_WORD_BITS) {
            const uint32_t count = mcubnn_channels_in_word(channels, first);
            read_elements(params->input_type, input, (pixel * channels) + first, count, values);
            mcubnn_output_stage_write(&params->output_stage, pixel, first, count, values, output);
        }
    }
    return MCUBNN_SUCCESS;
}
