#include "mcubnn/binary_dense.h"

#include "bits.h"
#include "check.h"
#include "output_stage.h"

static bool params_are_valid(const mcubnn_binary_dense_params *params) {
    return mcubnn_dims_are_valid(&params->input) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output_stage.channels);
}

mcubnn_status mcubnn_binary_dense(const mcubnn_context *context,
                                  const mcubnn_binary_dense_params *params, const uint32_t *input,
                                  void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t outputs = params->output_stage.channels;
    const uint32_t pixels = (uint32_t)params->input.height * params->input.width;
    const uint32_t words = pixels * mcubnn_words_for(params->input.channels);
    const int32_t elements = (int32_t)(pixels * params->input.channels);
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < outputs; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(outputs, first);
        for (uint32_t i = 0u; i < count; ++i) {
            /* the unused bits are 0 in input and weights and so never differ */
            sums[i] = elements - (2 * (int32_t)mcubnn_differing_bits(input, weights, words));
            weights += words;
        }
        mcubnn_output_stage_write(&params->output_stage, 0u, first, count, sums, output);
    }
    return MCUBNN_SUCCESS;
}
