"""Convolution in real numbers, as trained; lowered to an integer convolution by the passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import Op, require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.geometry import Window, windows


@dataclass(frozen=True, eq=False)
class Conv2d(Op):
    """2-D cross-correlation of an NHWC map, group 1.

    Attributes:
        weights: `[C_out, kernel_h, kernel_w, C_in]`, float32.
        bias: `[C_out]` float32, or None.
        window: geometry; its kernel equals the weights'.
        pad_value: value of the taps outside the map: 0, or -1 / +1 for a padding of bits.
    """

    name: ClassVar[str] = "conv2d"

    weights: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    window: Window
    pad_value: float = 0.0

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require(len(source.shape) == 3, "conv2d reads a map (height, width, channels)", [source])
        require(
            source.channels == self.weights.shape[3],
            "conv2d's weights must have the map's channels",
            [source, f"weights {self.weights.shape}"],
        )
        out_h, out_w = self.window.output_size(*source.shape[:2])
        return TensorType((out_h, out_w, self.weights.shape[0]), DType.FLOAT32)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        maps = sources[0].astype(np.float32)
        taps = windows(maps, self.window, self.pad_value)
        filters = self.weights.reshape(self.weights.shape[0], -1)
        flat = taps.reshape(-1, filters.shape[1])  # one large product: numpy loops over a stack
        result = (flat @ filters.T).reshape(*taps.shape[:3], -1)
        return result if self.bias is None else result + self.bias

    def macs(self, sources: Sequence[TensorType]) -> int:
        out = self.infer(sources)
        return out.elements * int(np.prod(self.weights.shape[1:]))
