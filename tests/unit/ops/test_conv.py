"""The convolutions' references against plain float arithmetic on unpacked values."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.int8_conv2d import Int8Conv2d
from mcubnn.ops.geometry import Window
from tests.unit.ops import plain

OUTPUTS = 3
PIXELS = [DType.UINT8, DType.INT8]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("channels", plain.CHANNELS)
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
@pytest.mark.parametrize("window", plain.WINDOWS)
def test_binary_conv2d_is_a_convolution_of_signs(
    rng: np.random.Generator, window: Window, pad_value: int, channels: int
) -> None:
    maps = plain.random_signs(rng, (2, 5, 6, channels))
    weights = plain.random_signs(rng, (OUTPUTS, *window.kernel, channels))
    op = BinaryConv2d(weights, window, pad_value, plain.plain_sums(OUTPUTS))
    expected = plain.conv(maps, weights, window, pad_value)
    np.testing.assert_array_equal(op.evaluate([maps]), expected)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("dtype", PIXELS)
@pytest.mark.parametrize("window", plain.WINDOWS)
def test_input_conv2d_is_a_convolution_of_scaled_pixels(
    rng: np.random.Generator, window: Window, dtype: DType, scaled: bool
) -> None:
    limits = np.iinfo(np.dtype(dtype.value))
    maps = rng.integers(limits.min, limits.max, (2, 5, 6, 3), limits.dtype, endpoint=True)
    weights = plain.random_signs(rng, (OUTPUTS, *window.kernel, 3))
    multipliers = np.array([1000, -3, 77777], np.int32) if scaled else None
    op = InputConv2d(weights, window, multipliers, plain.plain_sums(OUTPUTS))
    factors = weights * (multipliers.astype(np.float64) if multipliers is not None else 1.0)
    np.testing.assert_array_equal(op.evaluate([maps]), plain.conv(maps, factors, window))


@pytest.mark.parametrize("dtype", PIXELS)
@pytest.mark.parametrize("window", plain.WINDOWS)
def test_int8_conv2d_is_a_convolution(
    rng: np.random.Generator, window: Window, dtype: DType
) -> None:
    limits = np.iinfo(np.dtype(dtype.value))
    maps = rng.integers(limits.min, limits.max, (2, 5, 6, 4), limits.dtype, endpoint=True)
    weights = rng.integers(-128, 127, (OUTPUTS, *window.kernel, 4), np.int8, endpoint=True)
    op = Int8Conv2d(weights, window, plain.plain_sums(OUTPUTS))
    np.testing.assert_array_equal(op.evaluate([maps]), plain.conv(maps, weights, window))


def test_sums_beyond_float32_stay_exact() -> None:
    maps = np.full((1, 1, 1, 4), 255, np.uint8)
    maps[0, 0, 0, 0] = 254
    multipliers = np.array([2**20 + 1, 2**20, -(2**20), 3], np.int32)
    op = InputConv2d(
        np.ones((1, 1, 1, 4), np.int8), Window((1, 1)), multipliers, plain.plain_sums(1)
    )
    expected = sum(int(p) * int(m) for p, m in zip(maps[0, 0, 0], multipliers, strict=True))
    assert op.evaluate([maps]).item() == expected


def test_macs_count_every_tap_of_every_output() -> None:
    window = Window((3, 3), pads=(1, 1, 1, 1))
    op = BinaryConv2d(np.ones((8, 3, 3, 32), np.int8), window, 0, plain.plain_sums(8))
    assert op.macs([TensorType((4, 5, 32), DType.BIT)]) == 4 * 5 * 8 * 9 * 32


@pytest.mark.parametrize(
    ("shape", "dtype", "pad_value", "rule"),
    [
        ((4, 4, 32), DType.INT8, 0, "reads bit"),
        ((4, 4, 31), DType.BIT, 0, "weights must be"),
        ((512,), DType.BIT, 0, "reads a map"),
        ((2, 2, 32), DType.BIT, 0, "must fit"),
        ((4, 4, 32), DType.BIT, 2, "pad_value"),
    ],
)
def test_binary_conv2d_rejects(
    shape: tuple[int, ...], dtype: DType, pad_value: int, rule: str
) -> None:
    op = BinaryConv2d(
        np.ones((1, 3, 3, 32), np.int8), Window((3, 3)), pad_value, plain.plain_sums(1)
    )
    with pytest.raises(TypeRuleError, match=rule):
        op.infer([TensorType(shape, dtype)])


@pytest.mark.parametrize(
    "window",
    [
        Window((1, 1), strides=(0, 1)),
        Window((1, 1), dilations=(1, 0)),
        Window((1, 1), pads=(0, -1, 0, 0)),
        Window((1, 1), pads=(0, 2**16, 0, 0)),
    ],
)
def test_conv_rejects_a_window_that_the_kernel_cannot_hold(window: Window) -> None:
    op = BinaryConv2d(np.ones((1, 1, 1, 8), np.int8), window, 0, plain.plain_sums(1))
    with pytest.raises(TypeRuleError, match="must be positive"):
        op.infer([TensorType((4, 4, 8), DType.BIT)])


def test_input_conv2d_rejects_sums_beyond_int32() -> None:
    multipliers = np.array([2**24], np.int32)
    op = InputConv2d(
        np.ones((1, 1, 1, 1), np.int8), Window((1, 1)), multipliers, plain.plain_sums(1)
    )
    with pytest.raises(TypeRuleError, match="int32"):
        op.infer([TensorType((2, 2, 1), DType.UINT8)])


def test_binary_weights_must_be_signs() -> None:
    op = BinaryConv2d(np.zeros((1, 1, 1, 1), np.int8), Window((1, 1)), 0, plain.plain_sums(1))
    with pytest.raises(TypeRuleError, match="-1 or"):
        op.infer([TensorType((2, 2, 1), DType.BIT)])


def test_stage_must_have_one_entry_per_channel() -> None:
    op = BinaryConv2d(np.ones((2, 1, 1, 1), np.int8), Window((1, 1)), 0, plain.plain_sums(3))
    with pytest.raises(TypeRuleError, match="one entry per output channel"):
        op.infer([TensorType((2, 2, 1), DType.BIT)])
