#include "mcubnn/binary_dense_f2c.h"

#include "check.h"
#include "f2c_core.h"

static bool params_are_valid(const mcubnn_binary_dense_f2c_params *params, uint32_t entries) {
    return mcubnn_dims_are_valid(&params->input) && params->output_channels > 0u &&
           mcubnn_f2c_tables_are_valid(&params->tables) && entries <= MCUBNN_F2C_MOST_ENTRIES;
}

mcubnn_status mcubnn_binary_dense_f2c(const mcubnn_context *context,
                                      const mcubnn_binary_dense_f2c_params *params,
                                      const uint32_t *input, void *output) {
    if (params == NULL || input == NULL || output == NULL) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t pixels = (uint32_t)params->input.height * params->input.width;
    const uint32_t channels = mcubnn_f2c_entries_for(params->input.channels);
    const uint32_t entries = mcubnn_f2c_product(pixels, channels);
    if (!params_are_valid(params, entries)) {
        return MCUBNN_ERROR_ARGUMENT;
    }
    const uint32_t scratch_bytes = MCUBNN_BINARY_DENSE_F2C_SCRATCH_BYTES(1u, pixels, channels);
    if (!mcubnn_f2c_scratch_is_valid(context, scratch_bytes)) {
        return MCUBNN_ERROR_SCRATCH;
    }
    uint16_t *list = (uint16_t *)context->buffer;
    mcubnn_f2c_lists lists = {
        .entries = list,
        .set_end = list,
        .unset_begin = list + entries,
        .starts = list + entries,
        .next = 0u,
    };
    mcubnn_f2c_list(&lists, input, pixels, channels / 4u);

    const uint32_t set = (uint32_t)(lists.set_end - list);
    mcubnn_f2c_segment segment = {
        .entries = list, .count = set, .weights = params->tables.weights, .origin = 0u};
    const uint32_t unset = 2u * set > entries ? 1u : 0u;
    if (unset != 0u) {
        segment.entries = lists.unset_begin;
        segment.count = entries - set;
    }
    mcubnn_f2c_job job;
    mcubnn_f2c_job_init(&job, &segment, &params->tables, entries, params->output_channels,
                        (uint32_t *)output);
    job.segments_end = job.segments + 1;
    mcubnn_f2c_run(&job, &params->tables, 0u, segment.count, unset);
    return MCUBNN_SUCCESS;
}
