/** @file firmware_model.h
 *  A model small enough to check by hand: node 0 adds 1 to every pixel, node 1 gives three scores.
 */
#ifndef FIRMWARE_MODEL_H
#define FIRMWARE_MODEL_H

#include <stdint.h>

#include "mcubnn/types.h"

#ifndef DUMMY_SIDE
#define DUMMY_SIDE 4
#endif

#define MODEL_NAME "dummy"
#define MODEL_BOARD "test-board"
#define MODEL_HASH 0x1234ABCDu
#define MODEL_INPUT_TYPE 0
#define MODEL_INPUT_HEIGHT DUMMY_SIDE
#define MODEL_INPUT_WIDTH DUMMY_SIDE
#define MODEL_INPUT_CHANNELS 3
#define MODEL_INPUT_BYTES (DUMMY_SIDE * DUMMY_SIDE * 3)
#define MODEL_OUTPUT_COUNT 3
#define MODEL_NODE_COUNT 2

void *model_input(void);
const int32_t *model_output(void);
mcubnn_status model_run_node(uint32_t node);
mcubnn_status model_invoke(void);
const void *model_node_result(uint32_t node, uint32_t *size_bytes);

#endif
