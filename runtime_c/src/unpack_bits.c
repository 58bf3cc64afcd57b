#include "mcubnn/unpack_bits.h"

#include "bits.h"
#include "check.h"

mcubnn_status mcubnn_unpack_bits(const mcubnn_context *context,
                                 const mcubnn_unpack_bits_params *params, const uint32_t *input,
                                 void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL ||
        !mcubnn_dims_are_valid(&params->input)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t channels = params->input.channels;
    const uint32_t pixels = (uint32_t)params->input.height * params->input.width;
    int8_t *value = (int8_t *)output;
    for (uint32_t pixel = 0u; pixel < pixels; ++pixel) {
        for (uint32_t channel = 0u; channel < channels; ++channel) {
            *value = mcubnn_bit_is_set(input, channel) ? 1 : -1;
            ++value;
        }
        input += mcubnn_words_for(channels);
    }
    return MCUBNN_SUCCESS;
}
