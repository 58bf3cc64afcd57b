#include "mcubnn/binary_dense_mdfa.h"

#include "check.h"
#include "mdfa_core.h"
#include "output_stage.h"

static bool params_are_valid(const mcubnn_binary_dense_mdfa_params *params) {
    return mcubnn_dims_are_valid(&params->input) && params->weights != NULL &&
           mcubnn_output_stage_is_valid(&params->output_stage, params->output_stage.channels);
}

mcubnn_status mcubnn_binary_dense_mdfa(const mcubnn_context *context,
                                       const mcubnn_binary_dense_mdfa_params *params,
                                       const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t pixels = (uint32_t)params->input.height * params->input.width;
    const uint32_t words = pixels * mcubnn_words_for(params->input.channels);
    const uint32_t row_words = mcubnn_mdfa_row_words(words);
    if (context == NULL || context->buffer == NULL || context->size_bytes / 4u < row_words) {
        return MCUBNN_ERROR_SCRATCH;
    }
    uint32_t *row = (uint32_t *)context->buffer;
    mcubnn_mdfa_row whole = {.next = row, .parity = 0u};
    mcubnn_mdfa_append_words(&whole, input, words);
    mcubnn_mdfa_end(&whole, words);

    const int32_t inputs = (int32_t)(pixels * params->input.channels);
    const uint32_t outputs = params->output_stage.channels;
    const uint32_t *weights = params->weights;
    int32_t sums[MCUBNN_WORD_BITS];
    for (uint32_t first = 0u; first < outputs; first += MCUBNN_WORD_BITS) {
        const uint32_t count = mcubnn_channels_in_word(outputs, first);
        mcubnn_mdfa_sums(row, weights, row_words, inputs, count, sums);
        mcubnn_output_stage_write(&params->output_stage, 0u, first, count, sums, output);
        weights += row_words * count;
    }
    return MCUBNN_SUCCESS;
}
