from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.packing import device_bytes, from_device_bytes, pack_bits, pack_by_output, words_for
from tests.unit.ops import plain


@pytest.fixture(params=plain.CHANNELS)
def bits(request: pytest.FixtureRequest) -> Array:
    return plain.random_signs(np.random.default_rng(3), (4, 3, request.param))


def test_channel_is_bit_and_word_of_the_convention(bits: Array) -> None:
    packed = pack_bits(bits)
    assert packed.shape == (4, 3, words_for(bits.shape[-1]))
    for channel in range(bits.shape[-1]):
        word = packed[..., channel // 32] >> np.uint32(channel % 32)
        np.testing.assert_array_equal((word & np.uint32(1)) == 1, bits[..., channel] == 1)


def test_unused_bits_are_zero(bits: Array) -> None:
    used = bits.shape[-1] % 32
    if used:
        assert (pack_bits(bits)[..., -1] < 1 << used).all()


def test_bits_survive_a_round_trip(bits: Array) -> None:
    data = device_bytes(bits, DType.BIT)
    assert len(data) == TensorType(bits.shape, DType.BIT).storage_bytes
    np.testing.assert_array_equal(from_device_bytes(data, bits.shape, DType.BIT), bits)


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8, DType.INT32])
def test_integers_survive_a_round_trip(dtype: DType) -> None:
    limits = np.iinfo(np.dtype(dtype.numpy))
    values = np.array([[limits.min, 0, limits.max]], limits.dtype)
    data = device_bytes(values, dtype)
    np.testing.assert_array_equal(from_device_bytes(data, values.shape, dtype), values)


def test_pack_by_output_keeps_the_inner_shape() -> None:
    weights = plain.random_signs(np.random.default_rng(5), (33, 2, 3))
    packed = pack_by_output(weights)
    assert packed.shape == (2, 2, 3)
    np.testing.assert_array_equal(packed[1], weights[32] > 0)
