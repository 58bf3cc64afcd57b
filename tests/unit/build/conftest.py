"""A hand-written model with the API of generated ones, and where PlatformIO keeps its packages."""

import pytest

from mcubnn.artifacts import CProgram

HEADER = """\
#ifndef DUMMY_H
#define DUMMY_H
#include <stdint.h>
#include "mcubnn/types.h"
#define DUMMY_INPUT_BYTES 16u
#define DUMMY_INPUT_TYPE 0
#define DUMMY_INPUT_HEIGHT 4u
#define DUMMY_INPUT_WIDTH 4u
#define DUMMY_INPUT_CHANNELS 1u
#define DUMMY_OUTPUT_COUNT 1u
#define DUMMY_NODE_COUNT 1u
#define DUMMY_ARENA_BYTES 64u
#define DUMMY_MODEL_HASH 0x12345678u
void *dummy_input(void);
const int32_t *dummy_output(void);
mcubnn_status dummy_run_node(uint32_t node);
mcubnn_status dummy_invoke(void);
const void *dummy_node_result(uint32_t node, uint32_t *size_bytes);
#endif
"""

SOURCE = """\
#include "dummy.h"
static uint32_t dummy_arena[16];
static const int32_t dummy_weights[8] = {11, -22, 33, -44, 55, -66, 77, -88};
void *dummy_input(void) {
    return dummy_arena;
}
const int32_t *dummy_output(void) {
    return (const int32_t *)&dummy_arena[8];
}
mcubnn_status dummy_run_node(uint32_t node) {
    const uint8_t *image = (const uint8_t *)dummy_arena;
    int64_t sum = (int64_t)node;
    for (uint32_t i = 0u; i < DUMMY_INPUT_BYTES; i++) {
        sum += (int64_t)image[i] * dummy_weights[image[i] % 8u];
    }
    dummy_arena[8] = (uint32_t)(sum / (int64_t)(image[0] + 1));
    return MCUBNN_SUCCESS;
}
mcubnn_status dummy_invoke(void) {
    return dummy_run_node(0u);
}
const void *dummy_node_result(uint32_t node, uint32_t *size_bytes) {
    *size_bytes = 4u;
    return &dummy_arena[8u + node];
}
"""


@pytest.fixture
def program() -> CProgram:
    return CProgram(
        prefix="dummy",
        model_hash=0x12345678,
        files={"dummy.h": HEADER, "dummy.c": SOURCE},
        node_symbols={"dense": ("dummy_weights",)},
    )


@pytest.fixture(autouse=True)
def core_dir(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Packages go to a folder of the test run, never to the developer's own."""
    folder = tmp_path_factory.getbasetemp() / "platformio"
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(folder))
