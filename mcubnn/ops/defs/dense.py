"""Fully connected layer in real numbers, as trained; lowered to an integer one by the passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import Op, require
from mcubnn.ir.types import Array, DType, TensorType


@dataclass(frozen=True, eq=False)
class Dense(Op):
    """Matrix-vector product over all elements of the input, a map being read in (h, w, c) order.

    Attributes:
        weights: `[N_out, *input shape]`, float32.
        bias: `[N_out]` float32, or None.
    """

    name: ClassVar[str] = "dense"

    weights: NDArray[np.float32]
    bias: NDArray[np.float32] | None

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require(
            source.shape == self.weights.shape[1:],
            "dense's weights must have the input's shape",
            [source, f"weights {self.weights.shape}"],
        )
        return TensorType((self.weights.shape[0],), DType.FLOAT32)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        flat = sources[0].reshape(sources[0].shape[0], -1).astype(np.float32)
        result = flat @ self.weights.reshape(self.weights.shape[0], -1).T
        return result if self.bias is None else result + self.bias

    def macs(self, sources: Sequence[TensorType]) -> int:
        del sources
        return int(self.weights.size)
