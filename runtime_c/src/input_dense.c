#include "mcubnn/input_dense.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"
#include "pixel.h"

/** The sums of a block of outputs, every channel counting alike. */
static void sum_elements(const mcubnn_input_dense_params *params, const uint8_t *input,
                         uint32_t elements, const uint32_t *weights, uint32_t count,
                         int32_t *sums) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    for (uint32_t element = 0u; element < elements; ++element) {
        const int32_t value = mcubnn_pixel_value(input[element], sign_bit);
        mcubnn_add_signed(sums, count, weights[element], value);
    }
}

/** The sums of a block of outputs, channel by channel with its multiplier. */
static void sum_channels(const mcubnn_input_dense_params *params, const uint8_t *input,
                         uint32_t elements, const uint32_t *weights, uint32_t count,
                         int32_t *sums) {
    const uint8_t sign_bit = mcubnn_pixel_sign_bit(params->input_type);
    const uint32_t channels = params->input.channels;
    for (uint32_t channel = 0u; channel < channels; ++channel) {
        const int32_t multiplier = params->channel_multipliers[channel];
        for (uint32_t element = channel; element < elements; element += channels) {
            const int32_t value = multiplier * mcubnn_pixel_value(input[element], sign_bit);
            mcubnn_add_signed(sums, count, weights[element], value);
        }
    }
}

static bool params_are_valid(const mcubnn_input_dense_params *params) {
    return mcubnn_dims_are_valid(&params->input) &&
           mcubnn_pixel_type_is_valid(params->input_type) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output_stage.channels);
}

mcubnn_status mcubnn_input_dense(const mcubnn_context *context,
                                 const mcubnn_input_dense_params *params, const void *input,
                                 void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t outputs = params->output_stage.channels;
    const uint32_t elements =
        (uint32_t)params->input.height * params->input.width * params->input.channels;
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < outputs; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(outputs, first);
        for (uint32_t i = 0u; i < count; ++i) {
            sums[i] = 0;
        }
        if (params->channel_multipliers == NULL) {
            sum_elements(params, (const uint8_t *)input, elements, weights, count, sums);
        } else {
            sum_channels(params, (const uint8_t *)input, elements, weights, count, sums);
        }
        mcubnn_output_stage_write(&params->output_stage, 0u, first, count, sums, output);
        weights += elements;
    }
    return MCUBNN_SUCCESS;
}
