"""The bound of the portable kernels holds for small layers, whose fixed costs weigh most."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ScoreStage, ThresholdStage
from mcubnn.ops.variants.cores import core_for
from mcubnn.ops.variants.portable import portable_cost

_TIGHTNESS = 1.35


def _weights(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


def _scores(channels: int) -> ScoreStage:
    return ScoreStage(None, np.ones(channels, np.int32), np.zeros((1, channels), np.int32))


def _bits(channels: int) -> ThresholdStage:
    return ThresholdStage(None, np.zeros((1, channels), np.int32), np.zeros(channels, np.bool_))


_CONV = InputConv2d(_weights(1, 1, 1, 1), Window((1, 1)), None, _bits(1))
_POOL = Int8MaxPool(Window((2, 2), (2, 2)), np.zeros(2, np.bool_))


@pytest.mark.parametrize(
    ("op", "shape", "dtype", "executed"),
    [
        (Threshold(_bits(8)), (8,), DType.UINT8, (336, 431)),
        (Threshold(_bits(1024)), (1024,), DType.UINT8, (25347, 27667)),
        (Threshold(_bits(1)), (16, 16, 1), DType.UINT8, (21850, 35710)),
        (InputDense(_weights(3, 64), None, _scores(3)), (64,), DType.UINT8, (2844, 3714)),
        (InputDense(_weights(2, 784), None, _scores(2)), (784,), DType.UINT8, (24514, 34808)),
        (InputDense(_weights(62, 784), None, _bits(62)), (784,), DType.UINT8, (504422, 502297)),
        (BinaryDense(_weights(1, 8), _scores(1)), (8,), DType.BIT, (189, 269)),
        (BinaryDense(_weights(1, 256), _scores(1)), (256,), DType.BIT, (308, 473)),
        (Int8Dense(_weights(3, 18), _scores(3)), (18,), DType.INT8, (586, 754)),
        (_CONV, (8, 8, 1), DType.UINT8, (17000, 23839)),
        (_POOL, (6, 6, 2), DType.INT8, (2386, 3430)),
    ],
)
def test_executed_instructions_are_within_a_tight_bound(
    op: DeviceOp, shape: tuple[int, ...], dtype: DType, executed: tuple[int, int]
) -> None:
    """`executed` was counted on QEMU's Cortex-M4 and -M0."""
    for cpu, count in zip(("cortex-m4", "cortex-m0"), executed, strict=True):
        cost = portable_cost(op, [TensorType(shape, dtype)], core_for(cpu))
        assert count <= cost.worst_instructions <= _TIGHTNESS * count
