"""The binarizer of activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType


@dataclass(frozen=True, eq=False)
class Sign(Op):
    """+1 for x > 0, -1 for x < 0, and `at_zero` at 0.

    Attributes:
        at_zero: +1 for `x >= 0 ? 1 : -1`, -1 for `x > 0 ? 1 : -1`, 0 for the Sign operator of
            ONNX. A bit cannot hold 0: it becomes +1, and `fuse_output_stage` reports where a
            reachable sum could give exactly 0.
    """

    name: ClassVar[str] = "sign"
    at_zero: int

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        return source.with_dtype(DType.BIT)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        positive = sources[0] > 0 if self.at_zero < 0 else sources[0] >= 0
        return np.where(positive, 1, -1).astype(np.int8)
