"""Element types and tensor types of the intermediate representation.

Shapes never include the batch: a map is `(height, width, channels)`, a vector `(features,)`. The
reference evaluates arrays with one leading batch axis, `[N, *shape]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

WORD_BITS = 32


class DType(StrEnum):
    """Element type of a tensor."""

    FLOAT32 = "float32"
    UINT8 = "uint8"
    INT8 = "int8"
    INT32 = "int32"
    BIT = "bit"
    """The values -1 and +1, stored as one bit, 1 for +1 (docs/SPEC.md); unpacked as int8."""

    @property
    def numpy(self) -> DTypeLike:
        """The numpy dtype of the unpacked values."""
        return np.int8 if self is DType.BIT else np.dtype(self.value)

    @property
    def is_integer(self) -> bool:
        """Whether a kernel can consume it; float32 exists at compile time only."""
        return self is not DType.FLOAT32


@dataclass(frozen=True)
class TensorType:
    """Shape (without batch) and element type of one tensor."""

    shape: tuple[int, ...]
    dtype: DType

    @property
    def elements(self) -> int:
        """Number of elements of one sample."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """Length of the last axis."""
        return self.shape[-1]

    @property
    def storage_bytes(self) -> int:
        """Bytes of one sample in the arena; bits are padded to words per pixel (docs/SPEC.md)."""
        if self.dtype is DType.BIT:
            words = -(-self.channels // WORD_BITS)
            return 4 * words * math.prod(self.shape[:-1])
        return self.elements * np.dtype(self.dtype.numpy).itemsize

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same shape with another element type."""
        return TensorType(self.shape, dtype)

    def __str__(self) -> str:
        return f"{self.dtype.value}[{'x'.join(str(d) for d in self.shape)}]"
