/** @file firmware_model.h
 *  A model whose nodes execute a known number of instructions; the input says how many.
 */
#ifndef FIRMWARE_MODEL_H
#define FIRMWARE_MODEL_H

#include <stdint.h>

#include "mcubnn/types.h"

#define MODEL_NAME "counting"
#define MODEL_BOARD "test-board"
#define MODEL_HASH 0x0C0C0C0Cu
#define MODEL_INPUT_TYPE 0
#define MODEL_INPUT_HEIGHT 1
#define MODEL_INPUT_WIDTH 1
#define MODEL_INPUT_CHANNELS 4
#define MODEL_INPUT_BYTES 4
#define MODEL_OUTPUT_COUNT 1
#define MODEL_NODE_COUNT 3

void *model_input(void);
const int32_t *model_output(void);
mcubnn_status model_run_node(uint32_t node);
mcubnn_status model_invoke(void);
const void *model_node_result(uint32_t node, uint32_t *size_bytes);

#endif
