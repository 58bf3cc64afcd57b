from __future__ import annotations

import numpy as np
import pytest

from mcubnn.errors import ModelError
from mcubnn.ir.graph import Node
from mcubnn.ops.defs.elementwise import Add, Elementwise, Mul
from mcubnn.passes.positions import split_positions
from tests.unit.passes.networks import f32, rng


def _nodes(*ops: Elementwise) -> list[Node]:
    return [Node(f"{op.name}_{i}", op, ("x",), f"t{i}") for i, op in enumerate(ops)]


def test_constants_per_channel_are_one_class() -> None:
    found = split_positions(_nodes(Add(f32([1, 2])), Mul(f32([[[3, 4]]]))), (5, 5, 2))
    assert (found.classes, found.of_pixel) == (1, None)


def test_pixels_are_grouped_by_all_their_constants() -> None:
    border = np.zeros((4, 5, 2), np.float32)
    border[0], border[:, 0] = 1, 2
    rows = np.arange(4, dtype=np.float32).reshape(4, 1, 1) // 2
    found = split_positions(_nodes(Add(border), Mul(rows)), (4, 5, 2))
    assert found.of_pixel is not None
    spread = [
        np.broadcast_to(step.constants()[0], (found.classes, 2))[found.of_pixel]
        for step in found.steps
    ]
    np.testing.assert_array_equal(spread[0], border)
    np.testing.assert_array_equal(spread[1], np.broadcast_to(rows, (4, 5, 2)))
    assert found.classes == 5  # top, left above, left below, inside above, inside below


@pytest.mark.parametrize(("height", "is_refused"), [(16, False), (17, True)])
def test_more_than_256_classes_are_refused(height: int, is_refused: bool) -> None:
    nodes = _nodes(Add(f32(rng().normal(size=(height, 16, 1)))))
    if not is_refused:
        assert split_positions(nodes, (height, 16, 1)).classes == 256
        return
    with pytest.raises(ModelError, match=r"add_0 \(add\): constants take 272 different values"):
        split_positions(nodes, (height, 16, 1))
