from __future__ import annotations

import numpy as np
import pytest

from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Flatten, Pad
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.absorb_padding import absorb_padding
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

_ONE = (1, 1, 1, 1)
_ZEROS = Pad(_ONE, 0.0)
_POOL = MaxPool(Window((2, 2), (2, 2)))


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 0.25])
def test_merged_padding_computes_the_same(value: float) -> None:
    graph = network((5, 6, 2), Pad((1, 0, 2, 1), value), Pad((0, 1, 0, 0), value), conv((2, 4)))
    merged = absorb_padding(graph)
    assert operator_names(merged) == ["conv2d"]
    images = f32(rng().normal(size=(3, 5, 6, 2)))
    expected = evaluate_graph(graph, images)[graph.output]
    np.testing.assert_array_equal(evaluate_graph(merged, images)[merged.output], expected)


def test_pads_add_to_the_convolutions_own() -> None:
    merged = absorb_padding(network((5, 5, 1), Pad((1, 0, 0, 2), 0.0), conv((1, 2), pad=1)))
    (node,) = merged.nodes
    assert isinstance(node.op, Conv2d)
    assert node.op.window.pads == (2, 1, 1, 3)


@pytest.mark.parametrize("at_zero", [0, 1, -1])
@pytest.mark.parametrize("value", [0.0, 0.5, -3.0])
def test_padding_moves_behind_the_sign(value: float, at_zero: int) -> None:
    graph = network((5, 6, 2), Pad((1, 0, 2, 1), value), Sign(at_zero), conv((2, 4)))
    merged = absorb_padding(graph)
    assert operator_names(merged) == ["sign", "conv2d"]
    layer = merged.nodes[1].op
    assert isinstance(layer, Conv2d)
    assert layer.window.pads == (1, 0, 2, 1)
    assert layer.pad_value == (np.sign(value) or at_zero)


@pytest.mark.parametrize("between", [(), (Sign(1),), (Mul(f32([0.5, -2.0])),)], ids=len)
def test_steps_that_differ_by_channel_behind_the_padding(between: tuple[Op, ...]) -> None:
    """The border then has a value per channel, which becomes an offset and a bias."""
    steps = (Add(f32([0.5, -0.5])), *between)
    graph = network((5, 6, 2), Pad((1, 0, 2, 1), 0.0), *steps, conv((2, 4)))
    merged = absorb_padding(graph)
    images = rng().integers(-2, 3, (3, 5, 6, 2)).astype(np.float32)
    expected = evaluate_graph(graph, images)[graph.output]
    np.testing.assert_array_equal(evaluate_graph(merged, images)[merged.output], expected)


def test_border_bits_that_differ_by_channel_reach_the_device() -> None:
    padded = (Pad((1, 1, 1, 1), 0.0), norm(8, 400.0), Sign(1), conv((8, 16)), norm(16, 8.0))
    graph = network((7, 7, 3), conv((3, 8)), *padded, Sign(1), dense((5, 5, 16), 10))
    lowered = assert_same_scores(graph)
    assert operator_names(lowered) == ["input_conv2d", "binary_conv2d", "binary_dense"]


@pytest.mark.parametrize(
    "before",
    [(Pad(_ONE, -np.inf),), (Clip(0, 4), _ZEROS), (Clip(-1, 1), Add(f32(1.0)), _ZEROS)],
    ids=["-inf", "relu", "shifted"],
)
def test_padding_that_cannot_win_merges_into_the_pool(before: tuple[Op, ...]) -> None:
    graph = network((6, 6, 2), *before, _POOL)
    merged = absorb_padding(graph)
    pool = merged.nodes[-1].op
    assert isinstance(pool, MaxPool)
    assert pool.window.pads == _ONE
    images = f32(rng().normal(size=(3, 6, 6, 2)))
    expected = evaluate_graph(graph, images)[graph.output]
    np.testing.assert_array_equal(evaluate_graph(merged, images)[merged.output], expected)


def test_bits_padded_with_minus_one_before_a_pool() -> None:
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), Pad((1, 1, 1, 1), -1.0), _POOL)
    assert_same_scores(network((8, 8, 3), *ops, dense((4, 4, 8), 10)))


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ((_ZEROS,), "followed by a Conv or a MaxPool, .* found the graph's output"),
        ((_ZEROS, Add(f32(1.0))), "found the graph's output"),
        ((_ZEROS, Flatten(channels_first=True)), r"found flatten_1 \(flatten\)"),
        ((_ZEROS, Add(f32(np.ones((8, 8, 1)))), conv((1, 2))), "add_1 .* differ by position"),
        ((Pad((1, 1, 1, 1), 1.0), _ZEROS, conv((1, 2))), "found pad_1"),
        ((Pad((1, 1, 1, 1), 1.0), conv((1, 2), pad=1)), "pads with 1, .* pads with 0 again"),
        ((Pad((1, 1, 1, 1), -np.inf), conv((1, 2))), "pads with -inf in front of the convolution"),
        ((conv((1, 2)), _ZEROS, _POOL), r"pads with 0 .* can be smaller \(-inf\): the border"),
        ((Sign(1), _ZEROS, _POOL), r"pads with 0 .* can be smaller \(-1\)"),
    ],
)
def test_padding_that_cannot_merge_is_refused(ops: tuple[Op, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        absorb_padding(network((6, 6, 1), *ops))
