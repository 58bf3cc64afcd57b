"""Where the mdfa convolution applies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ScoreStage
from tests.kernels.cases import STAGES
from tests.kernels.mdfa_conv_cases import MDFA, SAME_SIZE, layer

ONES = np.ones(1, np.int32)
MAP = TensorType((32, 32, 1), DType.BIT)


def scores(bias: int) -> ScoreStage:
    return ScoreStage(None, ONES, np.full((1, 1), bias, np.int32))


def int8(bias: int) -> RequantizeStage:
    low, high = np.full(1, -128, np.int8), np.full(1, 127, np.int8)
    return RequantizeStage(None, ONES, np.full((1, 1), bias, np.int64), 62, low, high)


def convolution(window: Window, pad_value: int, stage: OutputStage) -> BinaryConv2d:
    return BinaryConv2d(np.ones((1, *window.kernel, 1), np.int8), window, pad_value, stage)


def test_variant_is_for_convolutions_of_bits_with_any_output() -> None:
    for kind in STAGES:
        case = layer((16, 2), kind)
        assert MDFA.why_not(case.op, [case.source]) == ""
    assert "binary_conv2d" in MDFA.why_not(UnpackBits(), [MAP])


def test_variant_counts_the_classes_of_pixels() -> None:
    zeros = convolution(Window((17, 17), pads=(8, 8, 8, 8)), 0, scores(0))
    assert "289 ways" in MDFA.why_not(zeros, [MAP])
    assert MDFA.why_not(replace(zeros, pad_value=-1), [MAP]) == ""


@pytest.mark.parametrize(
    ("stage", "reached"),
    [
        (scores(2**31 - 6), ""),
        (scores(2**31 - 5), str(2**31)),
        (int8(2**62), ""),
        (int8(2**62 + 2**61), str(2**63 + 14)),
    ],
)
def test_variant_adds_no_weights_that_overflow_the_stage(stage: OutputStage, reached: str) -> None:
    """Up to 5 of 9 taps are missing."""
    why_not = MDFA.why_not(convolution(SAME_SIZE, 0, stage), [MAP])
    assert reached in why_not
    assert bool(why_not) == bool(reached)
    assert MDFA.why_not(convolution(SAME_SIZE, -1, stage), [MAP]) == ""
