#include "mcubnn/bit_max_pool.h"

#include "bits.h"
#include "check.h"
#include "taps.h"

/** One word of one output pixel: OR, and AND in the channels of `minimum`. */
static uint32_t pool_word(const mcubnn_bit_max_pool_params *params, const mcubnn_patch *patch,
                          const uint32_t *input, uint32_t word, uint32_t minimum) {
    const uint32_t words = mcubnn_words_for(params->input.channels);
    uint32_t any = 0u;
    uint32_t all = UINT32_MAX;
    for (uint32_t row = patch->rows.begin; row < patch->rows.end; ++row) {
        for (uint32_t column = patch->columns.begin; column < patch->columns.end; ++column) {
            const uint32_t pixel = mcubnn_tap_pixel(patch, params->input.width, row, column);
            const uint32_t bits = input[(pixel * words) + word];
            any |= bits;
            all &= bits;
        }
    }
    return (any & ~minimum) | (all & minimum);
}

static bool params_are_valid(const mcubnn_bit_max_pool_params *params) {
    return mcubnn_geometry_is_valid(&params->input, &params->output, &params->window) &&
           params->input.channels == params->output.channels;
}

mcubnn_status mcubnn_bit_max_pool(const mcubnn_context *context,
                                  const mcubnn_bit_max_pool_params *params, const uint32_t *input,
                                  void *output) {
    (void)context;
    if (params == NULL || input == NULL || output == NULL || !params_are_valid(params)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t words = mcubnn_words_for(params->input.channels);
    uint32_t *output_word = (uint32_t *)output;
    mcubnn_patch patch;
    for (uint32_t y = 0u; y < params->output.height; ++y) {
        patch.rows = mcubnn_row_taps(&params->window, &params->input, y);
        for (uint32_t x = 0u; x < params->output.width; ++x) {
            patch.columns = mcubnn_column_taps(&params->window, &params->input, x);
            for (uint32_t word = 0u; word < words; ++word) {
                const uint32_t minimum = params->minimum == NULL ? 0u : params->minimum[word];
                *output_word = pool_word(params, &patch, input, word, minimum);
                ++output_word;
            }
        }
    }
    return MCUBNN_SUCCESS;
}
