from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.artifacts import InputOptions
from mcubnn.ir.types import DType
from mcubnn.ops.defs.elementwise import Add, Clip
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.bounds import real_bounds, sum_bounds, value_range
from tests.unit.passes.networks import (
    attached,
    conv,
    f32,
    network,
    norm,
    pixels,
    real_dense,
    rng,
)


@given(st.integers(0, 10_000), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=40)
def test_sums_stay_inside_and_reach_their_bounds(seed: int, absent: bool) -> None:
    random = rng(seed)
    weights = random.integers(-3, 4, (4, 6)).astype(np.float64)
    low, high = (np.float64(v) for v in value_range(random.choice([DType.UINT8, DType.INT8])))
    smallest, largest = sum_bounds(weights, low, high, absent)
    values = random.choice([low, high, *([0.0] if absent else [])], (400, 6))
    sums = values @ weights.T
    assert (sums >= smallest).all()
    assert (sums <= largest).all()
    corner = np.where(weights > 0, high, low)
    reached = (weights * corner).sum(axis=1)
    assert (reached <= largest).all()
    assert absent or np.array_equal(reached, largest)


def test_every_activation_stays_inside_its_bounds() -> None:
    ops = (
        Add(f32(rng().normal(size=(8, 8, 2)))),
        conv((2, 8), pad=1, pad_value=1.0),
        norm(8, 6.0),
        MaxPool(Window((2, 2), (2, 2))),
        Clip(-1, 1),
        real_dense((4, 4, 8), 3),
    )
    graph = attached(network((8, 8, 2), *ops), InputOptions(scale=1 / 64, mean=(2.0, 1.0)))
    tensors = evaluate_graph(graph, pixels(graph, 64))
    slack = 1e-5
    for name, (low, high) in real_bounds(graph).items():
        assert (tensors[name] >= low - slack).all(), name
        assert (tensors[name] <= high + slack).all(), name
