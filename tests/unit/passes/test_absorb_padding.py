from __future__ import annotations

import numpy as np
import pytest

from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.elementwise import Add
from mcubnn.ops.defs.shape import Pad
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.passes.absorb_padding import absorb_padding
from tests.unit.passes.networks import conv, f32, network, operator_names, rng


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


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ((Pad((1, 1, 1, 1), 0.0),), "followed by a Conv; found the graph's output"),
        ((Pad((1, 1, 1, 1), 0.0), Add(f32(1.0))), r"found add_1 \(add\)"),
        ((Pad((1, 1, 1, 1), 1.0), Pad((1, 1, 1, 1), 0.0), conv((1, 2))), "found pad_1"),
        ((Pad((1, 1, 1, 1), 1.0), conv((1, 2), pad=1)), "pads with 1, .* pads with 0 again"),
    ],
)
def test_padding_that_cannot_merge_is_refused(ops: tuple[Op, ...], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        absorb_padding(network((6, 6, 1), *ops))
