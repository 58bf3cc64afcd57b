"""Exact integer sums of products by floating-point matrix products, in bounded memory.

A float32 product of integers is exact while no partial sum can reach 2^24, a float64 product while
none can reach 2^53; in both cases whatever the order of the additions. This is much faster than
numpy's integer matrix product, which does not use BLAS.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import DTypeLike

from mcubnn.ir.types import Array, DType
from mcubnn.ops.geometry import Window, windows

CHUNK_BYTES = 64 * 1024 * 1024
_LARGEST_INPUT = {DType.BIT: 1, DType.UINT8: 255, DType.INT8: 128}


def largest_sum(weights: Array, source: DType) -> int:
    """Largest magnitude a sum, or any partial sum, of one output channel can reach.

    Args:
        weights: `[C_out, ...]` integers.
        source: element type of the input.
    """
    magnitudes = np.abs(weights.reshape(weights.shape[0], -1).astype(np.int64))
    return int(magnitudes.sum(axis=1).max()) * _LARGEST_INPUT[source]


def exact_dtype(largest: int) -> DTypeLike:
    """The float type in which sums up to `largest` are exact.

    Args:
        largest: as `largest_sum` returns; below 2^31 where an operator's rule holds.
    """
    return np.float32 if largest < 2**24 else np.float64


def dense_sums(vectors: Array, weights: Array, largest: int) -> Array:
    """Sums of products over all elements: `[N, *shape]` with `[C_out, *shape]` to `[N, C_out]`.

    Args:
        vectors: integers.
        weights: integers.
        largest: bound of the partial sums' magnitude.
    """
    dtype = exact_dtype(largest)
    flat = vectors.reshape(len(vectors), weights[0].size).astype(dtype)
    return (flat @ weights.reshape(len(weights), -1).T.astype(dtype)).astype(np.int32)


def conv_sums(maps: Array, weights: Array, window: Window, fill: int, largest: int) -> Array:
    """Cross-correlation of maps `[N, H, W, C_in]`: `[N, out_h, out_w, C_out]`.

    Args:
        maps: integers.
        weights: `[C_out, kernel_h, kernel_w, C_in]` integers.
        window: the geometry.
        fill: value of the taps outside the map.
        largest: bound of the partial sums' magnitude.
    """
    dtype = exact_dtype(largest)
    taps = windows(maps.astype(dtype), window, fill)
    columns = taps.reshape(-1, weights[0].size)  # one matrix: numpy would loop over a stack of them
    sums = columns @ weights.reshape(len(weights), -1).T.astype(dtype)
    return sums.astype(np.int32).reshape(*taps.shape[:3], len(weights))


def chunks(count: int, bytes_each: int) -> Iterator[slice]:
    """Slices of a batch whose working memory stays within `CHUNK_BYTES`, at least one sample each.

    An empty batch is one empty slice.

    Args:
        count: samples in the batch.
        bytes_each: working memory of one sample.
    """
    step = max(1, CHUNK_BYTES // max(1, bytes_each))
    for start in range(0, max(1, count), step):
        yield slice(start, min(start + step, count))
