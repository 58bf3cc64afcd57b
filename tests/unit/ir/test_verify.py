"""Broken graphs are found, whatever pass broke them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mcubnn.errors import InternalError, ModelError
from mcubnn.ir.builder import run_from, with_nodes
from mcubnn.ir.graph import Graph
from mcubnn.ir.printer import format_graph
from mcubnn.ir.types import DType, TensorType
from mcubnn.ir.verify import verify
from mcubnn.ops.defs.elementwise import Add, Mul
from mcubnn.ops.defs.sign import Sign
from tests.unit.passes.networks import dense, f32, network


@pytest.fixture
def graph() -> Graph:
    return network((4,), Add(f32(0.5)), Sign(1), dense((4,), 2))


def _nodes(graph: Graph, *order: int) -> Graph:
    return replace(graph, nodes=tuple(graph.nodes[index] for index in order))


_BROKEN: tuple[tuple[str, Callable[[Graph], Graph]], ...] = (
    ("before it is written", lambda g: _nodes(g, 1, 0, 2)),
    ("two nodes are named add_0", lambda g: _nodes(g, 0, 0, 1, 2)),
    ("no node writes the output", lambda g: replace(g, output="nowhere")),
    ("has no type", lambda g: replace(g, input="nowhere")),
    ("tensors that no node writes", lambda g: _nodes(replace(g, output="sign_1"), 0, 1)),
    (
        "recorded as",
        lambda g: replace(g, tensors={**g.tensors, "sign_1": TensorType((4,), DType.INT8)}),
    ),
    (
        "a second time",
        lambda g: replace(
            g, nodes=(*g.nodes, replace(g.nodes[0], name="again", sources=("dense_2",)))
        ),
    ),
)


def test_whole_graph_passes(graph: Graph) -> None:
    verify(graph)


@pytest.mark.parametrize(("message", "sabotage"), _BROKEN, ids=[m for m, _ in _BROKEN])
def test_broken_graph_is_found(
    graph: Graph, message: str, sabotage: Callable[[Graph], Graph]
) -> None:
    with pytest.raises(InternalError, match=message):
        verify(sabotage(graph))


def test_rule_of_an_operator_names_the_node() -> None:
    with pytest.raises(ModelError, match=r"node dense_0 \(dense\): .* found float32\[5\]"):
        network((5,), dense((4,), 2))


def test_run_ends_where_a_tensor_is_read_twice(graph: Graph) -> None:
    twice = with_nodes(graph, [*graph.nodes, replace(graph.nodes[2], name="b", result="b")])
    assert [n.name for n in run_from(graph, "x")] == ["add_0", "sign_1", "dense_2"]
    assert [n.name for n in run_from(twice, "x")] == ["add_0", "sign_1"]


def test_printer_shows_every_attribute_and_note() -> None:
    text = format_graph(network((4,), Mul(f32(2.0)), dense((4,), 2)))
    lines = text.splitlines()
    assert lines[0] == "graph net(x: float32[4]) -> dense_1"
    assert lines[1] == "  mul_0 = mul(x) constant=2.0 -> float32[4]"
    assert lines[2].startswith("  dense_1 = dense(mul_0) weights=float32[2x4]#")
