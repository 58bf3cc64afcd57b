"""The dense operators' references against plain arithmetic, and their weights' packing."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.packing import from_device_bytes
from tests.unit.ops import plain

OUTPUTS = 5
SHAPES = [(c,) for c in plain.CHANNELS] + [(2, 3, c) for c in plain.CHANNELS]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def plain_dense(vectors: Array, weights: Array) -> Array:
    return np.array([[(v.astype(np.float64) * w).sum() for w in weights] for v in vectors])


@pytest.mark.parametrize("shape", SHAPES)
def test_binary_dense_is_a_product_of_signs(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    vectors = plain.random_signs(rng, (3, *shape))
    weights = plain.random_signs(rng, (OUTPUTS, *shape))
    op = BinaryDense(weights, plain.plain_sums(OUTPUTS))
    np.testing.assert_array_equal(op.evaluate([vectors]), plain_dense(vectors, weights))


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8])
@pytest.mark.parametrize("shape", SHAPES)
def test_dense_of_bytes_is_a_product(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: DType
) -> None:
    limits = np.iinfo(np.dtype(dtype.value))
    vectors = rng.integers(limits.min, limits.max, (3, *shape), limits.dtype, endpoint=True)
    signs = plain.random_signs(rng, (OUTPUTS, *shape))
    bytes_ = rng.integers(-128, 127, (OUTPUTS, *shape), np.int8, endpoint=True)
    stage = plain.plain_sums(OUTPUTS)
    binary, full = InputDense(signs, None, stage), Int8Dense(bytes_, stage)
    np.testing.assert_array_equal(binary.evaluate([vectors]), plain_dense(vectors, signs))
    np.testing.assert_array_equal(full.evaluate([vectors]), plain_dense(vectors, bytes_))


@pytest.mark.parametrize("shape", SHAPES)
def test_binary_dense_packs_weights_as_the_input_lies(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    weights = plain.random_signs(rng, (OUTPUTS, *shape))
    table = BinaryDense(weights, plain.plain_sums(OUTPUTS)).weight_table()
    packed = table.values.astype("<u4").tobytes()
    np.testing.assert_array_equal(from_device_bytes(packed, weights.shape, DType.BIT), weights)


@pytest.mark.parametrize("outputs", plain.CHANNELS)
def test_input_dense_packs_weights_by_output(rng: np.random.Generator, outputs: int) -> None:
    weights = plain.random_signs(rng, (outputs, 7))
    words = InputDense(weights, None, plain.plain_sums(outputs)).weight_table().values
    assert words.shape == (-(-outputs // 32), 7)
    for output in range(outputs):
        bits = (words[output // 32] >> np.uint32(output % 32)) & np.uint32(1)
        np.testing.assert_array_equal(bits == 1, weights[output] > 0)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_input_dense_scales_each_channel(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    vectors = rng.integers(0, 255, (3, *shape), np.uint8, endpoint=True)
    signs = plain.random_signs(rng, (OUTPUTS, *shape))
    multipliers = np.array([3, -20000, 1, 7], np.int32)
    op = InputDense(signs, multipliers, plain.plain_sums(OUTPUTS))
    expected = plain_dense(vectors, signs * multipliers.astype(np.float64))
    np.testing.assert_array_equal(op.evaluate([vectors]), expected)


def test_input_dense_rejects_another_number_of_multipliers() -> None:
    op = InputDense(np.ones((2, 1, 2, 3), np.int8), np.ones(2, np.int32), plain.plain_sums(2))
    with pytest.raises(TypeRuleError, match="one channel multiplier per input channel"):
        op.infer([TensorType((1, 2, 3), DType.UINT8)])


def test_dense_rejects_another_shape() -> None:
    op = BinaryDense(np.ones((2, 1, 2, 3), np.int8), plain.plain_sums(2))
    with pytest.raises(TypeRuleError, match="shape of the input"):
        op.infer([TensorType((2, 1, 3), DType.BIT)])


def test_dense_rejects_position_classes() -> None:
    stage = plain.plain_sums(2)
    stage = type(stage)(np.zeros((1, 1), np.uint8), stage.multiplier, stage.bias)
    with pytest.raises(TypeRuleError, match="position classes"):
        BinaryDense(np.ones((2, 3), np.int8), stage).infer([TensorType((3,), DType.BIT)])
