"""Channels with gamma 0 disappear where that costs nothing; the scores stay the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.ir.graph import Graph
from mcubnn.ir.op import Op
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.ops.geometry import Window
from mcubnn.passes.choose_polarity import choose_polarity
from mcubnn.passes.fold_constant_channels import fold_constant_channels
from mcubnn.passes.pipeline import steps
from tests.unit.passes.networks import conv, dense, network, norm, pixels

_DEAD = [0, 1, 3, 32]


def _lowered(padding: tuple[int, int, int, int], *between: Op) -> Graph:
    """A network with constant channels, before they are folded."""
    first = norm(33, 9.0)
    gamma = first.gamma.copy()
    gamma[_DEAD] = 0.0
    second = replace(conv((33, 40), seed=1), window=Window((3, 3), (1, 1), padding))
    body = [conv((3, 33)), replace(first, gamma=gamma), Sign(1), *between, second]
    narrow = network((10, 10, 3), *body)
    shape = narrow.tensors[narrow.output].shape
    graph = network((10, 10, 3), *body, norm(40, 100.0), Sign(1), dense(shape, 10, seed=3))
    for name, lowered in steps(graph, InputOptions(), None):
        if name == "fuse_output_stage":
            return lowered
    raise AssertionError("the pass is gone")


@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 2, 0)])
@pytest.mark.parametrize("pooled", [False, True])
def test_constant_channels_vanish_and_scores_stay(
    padding: tuple[int, int, int, int], pooled: bool
) -> None:
    between = [MaxPool(Window((2, 2), (2, 2)))] if pooled else []
    graph = _lowered(padding, *between)
    folded = fold_constant_channels(graph)
    layer = next(n.op for n in folded.nodes if isinstance(n.op, BinaryConv2d))
    assert layer.weights.shape[3] == (33 if any(padding) else 33 - len(_DEAD))
    images = pixels(graph)
    np.testing.assert_array_equal(evaluate_output(folded, images), evaluate_output(graph, images))


def test_polarity_keeps_scores_and_leaves_no_channel_mostly_set() -> None:
    graph = _lowered((1, 1, 1, 1), MaxPool(Window((2, 2), (2, 2))))
    images = pixels(graph)
    stored = choose_polarity(graph, images)
    np.testing.assert_array_equal(evaluate_output(stored, images), evaluate_output(graph, images))
    assert all(density <= 0.51 for density in stored.densities.values()), stored.densities
    assert choose_polarity(graph, None) is graph
