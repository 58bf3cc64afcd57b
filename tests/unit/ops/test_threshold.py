from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.output_stage import ThresholdStage


def stage(position: list[list[int]] | None, thresholds: list[list[int]]) -> ThresholdStage:
    flip = np.array([False, True])
    classes = None if position is None else np.array(position, np.uint8)
    return ThresholdStage(classes, np.array(thresholds, np.int32), flip)


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8, DType.INT32])
def test_threshold_is_reached_at_equality_and_flips(dtype: DType) -> None:
    values = np.array([[4, 4], [5, 5], [6, 6]], dtype.numpy)
    result = Threshold(stage(None, [[5, 5]])).evaluate([values])
    np.testing.assert_array_equal(result, [[-1, 1], [1, -1], [1, -1]])


def test_threshold_at_the_ends_of_int32_is_constant() -> None:
    values = np.array([[-(2**31), -(2**31)], [2**31 - 1, 2**31 - 1]], np.int32)
    always = Threshold(stage(None, [[-(2**31), -(2**31)]]))
    np.testing.assert_array_equal(always.evaluate([values]), [[1, -1], [1, -1]])


def test_threshold_follows_the_position_class() -> None:
    maps = np.zeros((1, 1, 2, 2), np.int8)
    op = Threshold(stage([[0, 1]], [[0, 0], [1, 1]]))
    np.testing.assert_array_equal(op.evaluate([maps])[0, 0], [[1, -1], [-1, 1]])
    assert op.infer([TensorType((1, 2, 2), DType.INT8)]) == TensorType((1, 2, 2), DType.BIT)


@pytest.mark.parametrize("position", [[[0, 2]], [[0], [1]]])
def test_threshold_rejects_wrong_position_classes(position: list[list[int]]) -> None:
    op = Threshold(stage(position, [[0, 0], [1, 1]]))
    with pytest.raises(TypeRuleError, match="table row for each output pixel"):
        op.infer([TensorType((1, 2, 2), DType.INT8)])


def test_unpack_bits_gives_signs() -> None:
    bits = np.array([[1, -1, 1]], np.int8)
    op = UnpackBits()
    np.testing.assert_array_equal(op.evaluate([bits]), bits)
    assert op.infer([TensorType((3,), DType.BIT)]) == TensorType((3,), DType.INT8)
