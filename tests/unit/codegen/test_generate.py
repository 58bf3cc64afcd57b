"""The model's library: what the header promises and what the hash covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcubnn.artifacts import CProgram
from mcubnn.board import load_board
from mcubnn.codegen.generate import generate
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from tests.architecture.models import every_operator


def _generate(graph: Graph) -> CProgram:
    return generate(graph, make_plan(graph, load_board("host"), Budget()))


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_operator()[0]


def test_header_states_input_output_and_sizes(graph: Graph) -> None:
    plan = make_plan(graph, load_board("host"), Budget())
    header = generate(graph, plan).files["binary.h"]
    for line in (
        "#define BINARY_INPUT_HEIGHT 10u",
        "#define BINARY_INPUT_CHANNELS 3u",
        "#define BINARY_INPUT_BYTES 300u",
        "#define BINARY_OUTPUT_COUNT 10u",
        f"#define BINARY_ARENA_BYTES {plan.arena_bytes}u",
        f"#define BINARY_WEIGHT_BYTES {plan.weight_bytes}u",
    ):
        assert f"{line}\n" in header


def test_source_checks_the_runtimes_version_and_the_arena(graph: Graph) -> None:
    source = _generate(graph).files["binary.c"]
    assert "#if MCUBNN_ABI_VERSION != " in source
    assert "_Static_assert(sizeof(binary_arena) == BINARY_ARENA_BYTES" in source
    assert "static const uint32_t " in source
    assert "\nstatic uint32_t binary_arena" in source.replace("MCUBNN_ARENA_SECTION ", "")


def test_hash_changes_with_a_single_weight(graph: Graph) -> None:
    last = graph.nodes[-1]
    assert isinstance(last.op, BinaryDense)
    weights = last.op.weights.copy()
    weights.flat[7] *= -1
    changed = replace(last, op=replace(last.op, weights=weights))
    other = with_nodes(graph, [*graph.nodes[:-1], changed])
    programs = _generate(graph), _generate(other)
    assert programs[0].model_hash != programs[1].model_hash
    assert f"0x{programs[0].model_hash:08x}u" in programs[0].files["binary.h"]


def test_symbols_of_each_node_are_its_tables(graph: Graph) -> None:
    program = _generate(graph)
    assert list(program.node_symbols) == [node.name for node in graph.nodes]
    for symbols in program.node_symbols.values():
        for symbol in symbols:
            assert f" {symbol}[" in program.files["binary.c"]
    assert program.node_symbols[graph.nodes[-1].name]
