"""The bit convention of docs/SPEC.md: how unpacked values become words of the device.

Channel c of a pixel is bit c % 32 of word c // 32; bit 1 is +1, bit 0 is -1; every pixel starts on
a word; the unused bits of its last word are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import WORD_BITS, Array, DType


def words_for(channels: int) -> int:
    """Words that hold the bits of one pixel."""
    return -(-channels // WORD_BITS)


def pack_flags(flags: Array) -> NDArray[np.uint32]:
    """Pack the last axis of a boolean array: `[..., C]` to `[..., words_for(C)]` uint32."""
    words = words_for(flags.shape[-1])
    padded = np.zeros((*flags.shape[:-1], words * WORD_BITS), dtype=np.uint8)
    padded[..., : flags.shape[-1]] = flags
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return packed.view("<u4").astype(np.uint32)


def pack_bits(values: Array) -> NDArray[np.uint32]:
    """Pack -1 / +1 values over the last axis: `[..., C]` to `[..., words_for(C)]` uint32."""
    return pack_flags(values > 0)


def pack_by_output(weights: Array) -> NDArray[np.uint32]:
    """Pack -1 / +1 weights `[C_out, ...]` over the output channels: `[words_for(C_out), ...]`.

    For kernels that add or subtract one input value in 32 output channels.
    """
    return np.ascontiguousarray(np.moveaxis(pack_bits(np.moveaxis(weights, 0, -1)), -1, 0))


def device_bytes(values: Array, dtype: DType) -> bytes:
    """The bytes of one unpacked tensor as they lie in the device's memory (little endian)."""
    if dtype is DType.BIT:
        return pack_bits(values).astype("<u4").tobytes()
    return values.astype(np.dtype(dtype.value).newbyteorder("<")).tobytes()


def from_device_bytes(data: bytes, shape: tuple[int, ...], dtype: DType) -> Array:
    """The inverse of `device_bytes`: unpacked values of the given shape."""
    if dtype is not DType.BIT:
        return np.frombuffer(data, np.dtype(dtype.value).newbyteorder("<")).reshape(shape)
    packed = np.frombuffer(data, np.uint8).reshape(*shape[:-1], -1)
    bits = np.unpackbits(packed, axis=-1, count=shape[-1], bitorder="little")
    return (bits.astype(np.int8) * 2 - 1).astype(np.int8)
