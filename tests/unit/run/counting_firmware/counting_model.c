#include "firmware_model.h"

static uint32_t input;
static int32_t score;

void *model_input(void) {
    return &input;
}

const int32_t *model_output(void) {
    return &score;
}

/* Node 0 returns at once; node 1 executes 2 instructions for every unit of the input, node 2
 * five. The code before and after a loop is the same for every input, for every node. */
mcubnn_status model_run_node(uint32_t node) {
    uint32_t left = input;
    if (node == 1u) {
        __asm volatile(".syntax unified\n"
                       "1: subs %0, %0, #1\n"
                       "bne 1b\n"
                       : "+l"(left)::"cc");
    }
    if (node == 2u) {
        __asm volatile(".syntax unified\n"
                       "1: nop\n"
                       "cmp %0, #0\n"
                       "bmi 2f\n" /* never taken: inputs are below 2^31 */
                       "2: subs %0, %0, #1\n"
                       "bne 1b\n"
                       : "+l"(left)::"cc");
    }
    return MCUBNN_SUCCESS;
}

mcubnn_status model_invoke(void) {
    return model_run_node(1u);
}

const void *model_node_result(uint32_t node, uint32_t *size_bytes) {
    (void)node;
    *size_bytes = (uint32_t)sizeof(score);
    return &score;
}
