from __future__ import annotations

import numpy as np
import pytest

from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.elementwise import Add
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Flatten
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.absorb_flatten import absorb_flatten
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

_SHAPE = (3, 4, 5)


@pytest.mark.parametrize("channels_first", [True, False])
def test_order_of_elements_is_kept(channels_first: bool) -> None:
    ops = (Flatten(channels_first), Add(f32(np.arange(60))), Sign(1), dense((60,), 7))
    graph = network(_SHAPE, *ops)
    absorbed = absorb_flatten(graph)
    assert operator_names(absorbed) == ["add", "sign", "dense"]
    images = f32(rng().normal(-30, 20, size=(9, *_SHAPE)))
    expected = evaluate_graph(graph, images)[graph.output]
    np.testing.assert_array_equal(evaluate_graph(absorbed, images)[absorbed.output], expected)


def test_constants_that_repeat_per_channel_shrink_to_channels() -> None:
    per_channel = np.repeat(f32([1, 2, 3, 4, 5]), 12)  # channels first: 12 pixels each
    absorbed = absorb_flatten(
        network(_SHAPE, Flatten(True), Add(per_channel), Sign(1), dense((60,), 2))
    )
    add = absorbed.nodes[0].op
    assert isinstance(add, Add)
    assert add.constant.tolist() == [1, 2, 3, 4, 5]


def test_flatten_of_a_vector_disappears() -> None:
    absorbed = absorb_flatten(network((6,), Flatten(True), dense((6,), 2)))
    assert operator_names(absorbed) == ["dense"]


def test_batch_norm_per_element_behind_flatten_keeps_its_meaning() -> None:
    """Different parameters at every position, as BatchNorm1d behind a Flatten has them."""
    gamma_up = norm(3 * 3 * 4, 20.0, seed=4)
    rising = type(gamma_up)(
        abs(gamma_up.gamma), gamma_up.beta, gamma_up.mean, gamma_up.variance, gamma_up.epsilon
    )
    ops = (conv((2, 4)), Flatten(True), rising, Sign(1), dense((36,), 5, seed=2))
    lowered = assert_same_scores(network((5, 5, 2), *ops))
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ((conv((2, 4)), Flatten(True)), "into the output"),
        ((Flatten(True), MaxPool(Window((1, 1)))), "max_pool"),
    ],
)
def test_flatten_elsewhere_is_refused(ops: tuple[Op, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        absorb_flatten(network((5, 5, 2), *ops))
