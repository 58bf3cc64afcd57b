"""Batch norm behind a flatten, with factors of both signs in one channel."""

from __future__ import annotations

import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.elementwise import Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Flatten
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import (
    assert_same_scores,
    conv,
    dense,
    f32,
    network,
    norm,
    operator_names,
    real_dense,
    rng,
)

_FEATURES = 5 * 5 * 33


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("at_zero", [-1, 0, 1])
def test_binary_layer_behind_a_norm_per_feature(at_zero: int, channels_first: bool) -> None:
    ops: tuple[Op, ...] = (conv((3, 33)), Flatten(channels_first), norm(_FEATURES, 500.0))
    lowered = assert_same_scores(network((7, 7, 3), *ops, Sign(at_zero), dense((_FEATURES,), 10)))
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]
    assert lowered.nodes[0].result == "sign_3_inverted"


def test_values_of_exactly_zero() -> None:
    """Small integer sums around integer thresholds, in both directions."""
    random = rng(5)
    slope = f32(random.choice([-1.0, 1.0], _FEATURES))
    shift = f32(random.integers(-3, 4, _FEATURES) * 2)
    first = (conv((3, 8)), Sign(1), conv((8, 33), 1), Flatten(channels_first=True))
    exact = BatchNorm(slope, shift, 0 * slope, 0 * slope + 1, 0.0)
    for at_zero in (-1, 1):
        graph = network((7, 7, 3), *first, exact, Sign(at_zero), dense((_FEATURES,), 10))
        assert_same_scores(graph, InputOptions())


def test_layer_of_real_weights_is_negated_too() -> None:
    ops = (conv((3, 8)), Flatten(channels_first=True), norm(200, 500.0), Sign(1))
    graph = network((7, 7, 3), *ops, real_dense((200,), 10))
    lowered = assert_same_scores(graph, rtol=0.02)
    assert operator_names(lowered) == ["input_conv2d", "unpack_bits", "int8_dense"]


def test_reader_that_cannot_be_negated_is_refused() -> None:
    pool = MaxPool(Window((2, 2), (2, 2)))
    shape = (4, 4, 8)
    factors = f32(rng().choice([-1.0, 1.0], shape))
    ops = (conv((3, 8)), Mul(factors), Sign(1), pool, dense((2, 2, 8), 4))
    with pytest.raises(ModelError, match="positive at some positions of a channel"):
        run_passes(network((6, 6, 3), *ops), InputOptions())
