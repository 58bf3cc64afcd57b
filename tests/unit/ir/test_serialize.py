"""Graphs to files and back; damaged files are the user's to know, never a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.build_folder import constructors
from mcubnn.errors import UsageError
from mcubnn.ir.graph import Graph, Note
from mcubnn.ir.printer import format_graph
from mcubnn.ir.serialize import dump_graph, load_graph
from mcubnn.ops.defs.elementwise import Add, Clip, Div, Mul, Normalize, Rescale
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.quantize import Quantize
from mcubnn.ops.defs.shape import Flatten, Pad
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.ops.geometry import Window
from mcubnn.ops.registry import operators
from tests.architecture.models import every_operator
from tests.unit.passes.networks import conv, dense, f32, network, norm

_LOADED = Normalize(np.asarray(0.5), np.asarray([0.1] * 4), np.asarray(2.0))


@cache
def _graphs() -> tuple[Graph, ...]:
    """Graphs that use every operator, source operators included."""
    steps = (Add(f32(0.5)), Mul(f32([2.0] * 4)), Div(f32(3.0)), Clip(-1.0, np.inf))
    scale = np.asarray(0.25), np.asarray([0.5] * 4)
    pool = MaxPool(Window((2, 2), (2, 2), (0, 1, 0, 1)))
    source = network(
        (6, 6, 2),
        *(
            Pad((1, 1, 1, 1), -1.0),
            conv((2, 4)),
            norm(4, 3.0),
            Rescale(*scale),
            _LOADED,
            *steps,
            pool,
        ),
        *(Quantize(0.01), Sign(-1), Flatten(True), dense((48,), 3)),
    )
    noted = replace(source, output_scale=0.125, densities={"a": 0.5}).with_notes(Note("n", "*/ t"))
    return (noted, *every_operator())


def _load(text: str, arrays: bytes) -> Graph:
    return load_graph(text, arrays, constructors())


def test_every_operator_is_covered() -> None:
    used = {node.op.name for graph in _graphs() for node in graph.nodes}
    assert used == set(operators())


@pytest.mark.parametrize("index", range(5))
def test_graph_comes_back_as_it_was(index: int) -> None:
    graph = _graphs()[index]
    loaded = _load(*dump_graph(graph))
    assert format_graph(loaded) == format_graph(graph)
    assert loaded.densities == graph.densities
    images = np.zeros(
        (2, *graph.tensors[graph.input].shape), graph.tensors[graph.input].dtype.numpy
    )
    expected = evaluate_output(graph, images)
    np.testing.assert_array_equal(evaluate_output(loaded, images), expected)
    assert dump_graph(loaded) == dump_graph(graph)


@pytest.mark.parametrize("keep", [0, 1, 40, 400, -1, -30])
def test_truncated_arrays_are_reported(keep: int) -> None:
    text, arrays = dump_graph(_graphs()[1])
    with pytest.raises(UsageError, match="damaged graph file"):
        _load(text, arrays[:keep])


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "7", '{"format": 2}', "[" * 100_000])
def test_text_that_is_no_graph_is_reported(text: str) -> None:
    with pytest.raises(UsageError, match="damaged graph file"):
        _load(text, dump_graph(_graphs()[1])[1])


_values = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(), st.text(max_size=3),
    st.just([]), st.just({}), st.just([0, "x"]), st.just({"array": "0.weights"}),
    st.just({"part": "Window", "fields": {}}), st.just({"tuple": [3, 3]}),
)  # fmt: skip


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        children = list(document.items())
    if isinstance(document, list):
        children = list(enumerate(document))
    return [path, *(p for key, child in children for p in _places(child, (*path, key)))]


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_changed_value_loads_or_is_reported(data: st.DataObject) -> None:
    text, arrays = dump_graph(_graphs()[1])
    document = json.loads(text)
    *path, last = data.draw(st.sampled_from(_places(document)[1:]))
    place = document
    for key in path:
        place = place[key]
    place[last] = data.draw(_values)
    try:
        graph = _load(json.dumps(document), arrays)
    except UsageError as error:
        assert "damaged graph file" in error.message  # noqa: PT017 -- loading is fine as well
        return
    format_graph(graph)
