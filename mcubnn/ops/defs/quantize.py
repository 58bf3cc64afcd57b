"""Rounding a real activation to int8; written by the passes before a real-valued layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType


@dataclass(frozen=True, eq=False)
class Quantize(Op):
    """clamp(round(x / scale), -127, 127), halves rounded up; zero point 0.

    Attributes:
        scale: real value of one unit.
    """

    name: ClassVar[str] = "quantize"
    scale: float

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        return sources[0].with_dtype(DType.INT8)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        units = np.floor(sources[0].astype(np.float64) / self.scale + 0.5)
        return np.clip(units, -127, 127).astype(np.int8)
