"""Max-pooling before and after batch norm, sign and quantize."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.graph import Graph
from mcubnn.ir.op import Op
from mcubnn.ir.types import DType
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.sink_pools import sink_pools
from tests.unit.passes.networks import (
    assert_same_scores,
    conv,
    dense,
    f32,
    network,
    norm,
    operator_names,
    rng,
)

_POOL = MaxPool(Window((2, 2), (2, 2)))
_PADDED = MaxPool(Window((3, 3), (2, 2), (1, 1, 1, 1)))


def _behind_conv(*ops: Op) -> Graph:
    """A map of 8x8x33 sums, the given steps, and a layer that reads the bits."""
    middle = network((10, 10, 2), conv((2, 33)), *ops)
    shape = middle.tensors[middle.output].shape
    return network((10, 10, 2), conv((2, 33)), *ops, dense(shape, 10))


@pytest.mark.parametrize("pool", [_POOL, _PADDED], ids=["plain", "padded"])
@pytest.mark.parametrize("at_zero", [1, -1])
def test_pool_before_batch_norm_with_gammas_of_both_signs(pool: MaxPool, at_zero: int) -> None:
    lowered = assert_same_scores(_behind_conv(pool, norm(33, 500.0), Sign(at_zero)))
    first, second, *_ = (node.op for node in lowered.nodes)
    assert isinstance(first, InputConv2d)
    flags = first.pool or second
    assert isinstance(flags, BitMaxPool)
    assert 0 < flags.minimum.sum() < 33


@pytest.mark.parametrize(
    "steps",
    [
        (norm(33, 500.0), _POOL, Sign(1)),
        (norm(33, 500.0), Sign(1), _POOL),
        (_POOL, norm(33, 500.0), Clip(-1, 1), Sign(1)),
        (_POOL, Mul(f32(-0.01)), _PADDED, Add(f32(0.5)), Sign(1)),
    ],
    ids=["between", "after", "hardtanh", "twice"],
)
def test_pool_at_any_place_of_the_chain(steps: tuple[Op, ...]) -> None:
    lowered = assert_same_scores(_behind_conv(*steps))
    assert not {"max_pool", "sign", "batch_norm"} & set(operator_names(lowered))


def test_minimum_flags_follow_two_falling_steps() -> None:
    factors = f32([1, -1, -1, 1])
    ops = (_POOL, Mul(f32([1, 1, -1, -1])), Add(f32([0.5] * 4)), Mul(factors), Sign(1))
    graph = network((4, 4, 4), *ops)
    sunk = sink_pools(graph)
    pool = sunk.nodes[-1].op
    assert isinstance(pool, BitMaxPool)
    assert pool.minimum.tolist() == [False, True, False, True]
    images = f32(rng().normal(size=(20, 4, 4, 4)))
    expected = evaluate_graph(graph, images)[graph.output]
    np.testing.assert_array_equal(evaluate_graph(sunk, images)[sunk.output], expected)


def test_pool_on_pixels_becomes_int8_max_pool() -> None:
    graph = network((8, 8, 3), _POOL, conv((3, 8)), norm(8, 400.0), Sign(1), dense((2, 2, 8), 4))
    lowered = assert_same_scores(graph, InputOptions())
    assert operator_names(lowered)[0] == "int8_max_pool"


@pytest.mark.parametrize("pool", [_POOL, _PADDED], ids=["plain", "padded"])
@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8])
def test_pool_on_normalised_pixels_is_a_pool_of_pixels(pool: MaxPool, dtype: DType) -> None:
    """A falling step of one channel makes the maximum a minimum."""
    options = InputOptions(dtype, 1 / 255, (0.5, 0.4, 0.3), (0.5, 0.25, 0.5))
    ops = (pool, Mul(f32([1, -1, 1])), conv((3, 8)), norm(8, 9.0), Sign(1))
    shape = network((8, 8, 3), *ops).tensors["sign_4"].shape
    lowered = assert_same_scores(network((8, 8, 3), *ops, dense(shape, 4)), options)
    assert operator_names(lowered)[:2] == ["int8_max_pool", "input_conv2d"]
    reversed_ = (ops[1], ops[0], *ops[2:])
    lowered = assert_same_scores(network((8, 8, 3), *reversed_, dense(shape, 4)), options)
    flags = lowered.nodes[0].op
    assert isinstance(flags, Int8MaxPool)
    assert flags.minimum.tolist() == [False, True, False]


def test_pool_without_a_binarizer_is_refused() -> None:
    with pytest.raises(ModelError, match=r"max_pool_1 \(MaxPool\): a max-pool must be followed"):
        sink_pools(network((6, 6, 1), conv((1, 4)), _POOL))


@pytest.mark.parametrize("window", [Window((2, 2), (2, 2)), Window((2, 1), (3, 2))], ids=str)
def test_constants_per_position_behind_a_pool(window: Window) -> None:
    """As by a batch norm behind Flatten: spread over each window, rising everywhere."""
    pool = MaxPool(window)
    shape = network((10, 10, 2), conv((2, 33)), pool).tensors["max_pool_1"].shape
    shift = Add(f32(rng().normal(size=shape, scale=300)))
    lowered = assert_same_scores(_behind_conv(pool, shift, Sign(1)))
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]


@pytest.mark.parametrize("at_zero", [-1, 0, 1])
@pytest.mark.parametrize("window", [Window((2, 2), (2, 2)), Window((2, 1), (3, 2))], ids=str)
def test_both_signs_in_one_channel_behind_a_pool(window: Window, at_zero: int) -> None:
    """The falling bits are stored inverted, so that the pool is a maximum everywhere."""
    pool = MaxPool(window)
    shape = network((10, 10, 2), conv((2, 33)), pool).tensors["max_pool_1"].shape
    factor = f32(rng().choice([-1.0, 1.0], shape))
    factor[..., 0], factor[..., 1], factor[0, 0, 2] = 1.0, -1.0, 0.0
    shift = Add(f32(rng().normal(size=shape, scale=300)))
    lowered = assert_same_scores(_behind_conv(pool, shift, Mul(factor), Sign(at_zero)))
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]
    first = lowered.nodes[0].op
    assert isinstance(first, InputConv2d)
    assert first.pool is not None
    assert not first.pool.minimum.any()


def test_constants_per_position_behind_windows_that_overlap_are_refused() -> None:
    steps = (_PADDED, Add(f32(rng().normal(size=(4, 4, 33)))), Sign(1))
    with pytest.raises(ModelError, match=r"add_2 .* cannot stand next to the pooling max_pool_1"):
        assert_same_scores(_behind_conv(*steps))
