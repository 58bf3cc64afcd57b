#include "firmware_model.h"

static uint8_t input[MODEL_INPUT_BYTES];
static uint8_t sum[MODEL_INPUT_BYTES];
static int32_t scores[MODEL_OUTPUT_COUNT];

void *model_input(void) {
    return input;
}

const int32_t *model_output(void) {
    return scores;
}

mcubnn_status model_run_node(uint32_t node) {
    if (input[0] == 255u) { /* how a test asks for a failing kernel */
        return MCUBNN_ERROR_SCRATCH;
    }
    if (node == 0u) {
        for (uint32_t i = 0u; i < MODEL_INPUT_BYTES; i++) {
            sum[i] = (uint8_t)(input[i] + 1u);
        }
        return MCUBNN_SUCCESS;
    }
    scores[0] = 0;
    for (uint32_t i = 0u; i < MODEL_INPUT_BYTES; i++) {
        scores[0] += sum[i];
    }
    scores[1] = -(int32_t)sum[0];
    scores[2] = (int32_t)sum[MODEL_INPUT_BYTES - 1] << 16;
    return MCUBNN_SUCCESS;
}

mcubnn_status model_invoke(void) {
    const mcubnn_status status = model_run_node(0u);
    return (status == MCUBNN_SUCCESS) ? model_run_node(1u) : status;
}

const void *model_node_result(uint32_t node, uint32_t *size_bytes) {
    *size_bytes = (node == 0u) ? (uint32_t)sizeof(sum) : (uint32_t)sizeof(scores);
    return (node == 0u) ? (const void *)sum : (const void *)scores;
}
