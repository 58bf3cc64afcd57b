"""Pools that convolutions take over, and those they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.printer import format_graph
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.elementwise import Add
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.fuse_pools import fuse_pools
from mcubnn.passes.pipeline import steps
from tests.unit.passes.networks import (
    assert_same_scores,
    conv,
    dense,
    f32,
    network,
    norm,
    operator_names,
    pixels,
    rng,
)

PLAIN = Window((2, 2), (2, 2))


def unfused(window: Window, size: int = 11) -> Graph:
    """Two convolutions with pools between them, as the passes before the last one leave them."""
    first = (conv((3, 8), pad=1), norm(8, 300.0), MaxPool(window), Sign(1))
    middle = network((size, size, 3), *first)
    shape = middle.tensors[middle.output].shape
    second = (conv((8, 5), pad=1), Sign(1))
    graph = network((size, size, 3), *first, *second, dense((*shape[:2], 5), 4))
    return [found for _, found in steps(graph, InputOptions(), None)][-2]


def same_result(graph: Graph, fused: Graph) -> None:
    images = pixels(graph)
    expected = evaluate_graph(graph, images)
    found = evaluate_graph(fused, images)
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize(
    ("window", "computed"),
    [
        (PLAIN, 10 * 10),
        (Window((3, 3), (3, 3)), 9 * 9),
        (Window((2, 1), (2, 1)), 10 * 11),
        (Window((2, 2), (3, 4)), 8 * 6),
    ],
    ids=["square", "three", "one axis", "gaps"],
)
def test_convolution_takes_over_a_pool(window: Window, computed: int) -> None:
    graph = unfused(window)
    fused = fuse_pools(graph)
    assert operator_names(graph)[:2] == ["input_conv2d", "bit_max_pool"]
    assert operator_names(fused) == ["input_conv2d", "binary_conv2d", "binary_dense"]
    (first, pool), (conv_node, *_) = graph.nodes[:2], fused.nodes
    assert conv_node.name == first.name
    assert conv_node.result == pool.result
    assert isinstance(conv_node.op, InputConv2d)
    assert conv_node.op.pool is pool.op
    assert fused.tensors[pool.result] == graph.tensors[pool.result]
    assert conv_node.op.macs([graph.tensors["x"]]) == computed * conv_node.op.weights.size
    assert f"pool=BitMaxPool(window=Window(kernel=({window.kernel[0]}," in format_graph(fused)
    same_result(graph, fused)


@pytest.mark.parametrize(
    "window",
    [
        Window((2, 2), (2, 2), (0, 1, 0, 1)),
        Window((3, 3), (2, 2)),
        Window((2, 3), (2, 2)),
        Window((2, 2), (4, 4), dilations=(2, 2)),
    ],
    ids=["padding", "overlap", "overlap on one axis", "dilation"],
)
def test_pool_whose_windows_are_not_apart_stays(window: Window) -> None:
    graph = unfused(window)
    assert "bit_max_pool" in operator_names(graph)
    assert fuse_pools(graph).nodes == graph.nodes


def test_map_that_others_read_stays() -> None:
    graph = unfused(PLAIN, size=8)
    pool = graph.nodes[1]
    other = Node("other", pool.op, pool.sources, "other")
    several = with_nodes(graph, [*graph.nodes[:2], other, *graph.nodes[2:]])
    assert fuse_pools(several).nodes == several.nodes


def test_second_of_two_pools_stays() -> None:
    steps_between = (norm(8, 300.0), Sign(1), MaxPool(PLAIN), MaxPool(PLAIN))
    graph = network((10, 10, 3), conv((3, 8)), *steps_between, dense((2, 2, 8), 4))
    lowered = assert_same_scores(graph)
    assert operator_names(lowered) == ["input_conv2d", "bit_max_pool", "binary_dense"]


def test_pool_that_reads_no_convolution_stays() -> None:
    steps_before = (Add(f32(-100.5)), Sign(1), MaxPool(PLAIN))
    lowered = assert_same_scores(network((8, 8, 3), *steps_before, dense((4, 4, 3), 4)))
    assert operator_names(lowered) == ["threshold", "bit_max_pool", "binary_dense"]


def test_classes_of_positions_that_no_window_reads_are_gone() -> None:
    graph = network(
        (9, 9, 4),
        *(Add(f32(-100.5)), Sign(1), conv((4, 8), pad=1), Add(f32(rng().normal(size=(9, 9, 8))))),
        *(Sign(1), MaxPool(PLAIN), dense((4, 4, 8), 3)),
    )
    lowered = assert_same_scores(graph)
    (node,) = (n for n in lowered.nodes if isinstance(n.op, BinaryConv2d))
    assert isinstance(node.op, BinaryConv2d)
    assert node.op.pool is not None
    assert node.op.stage.position_class is not None
    assert node.op.stage.position_class.shape == (8, 8)


def test_densities_are_those_of_tensors_that_are_left() -> None:
    graph = unfused(PLAIN)
    named = replace(graph, densities=dict.fromkeys(graph.tensors, 0.25))
    fused = fuse_pools(named)
    assert set(fused.densities) == set(fused.tensors) < set(named.densities)
