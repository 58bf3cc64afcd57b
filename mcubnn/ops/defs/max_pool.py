"""Max-pooling in any element type; lowered to a pool on bits or on int8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mcubnn.ir.op import Op, require
from mcubnn.ir.types import Array, TensorType
from mcubnn.ops.geometry import Window, windows


@dataclass(frozen=True, eq=False)
class MaxPool(Op):
    """Maximum over each window; taps outside the map do not count."""

    name: ClassVar[str] = "max_pool"
    window: Window

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require(len(source.shape) == 3, "max_pool reads a map (height, width, channels)", [source])
        reach = self.window.span
        require(
            max(self.window.pads[0::2]) < reach[0] and max(self.window.pads[1::2]) < reach[1],
            "max_pool's padding must be smaller than its window",
            [self.window],
        )
        return TensorType(
            (*self.window.output_size(*source.shape[:2]), source.channels), source.dtype
        )

    def evaluate(self, sources: Sequence[Array]) -> Array:
        maps = sources[0]
        lowest = np.finfo(maps.dtype).min if maps.dtype.kind == "f" else np.iinfo(maps.dtype).min
        return windows(maps, self.window, lowest).max(axis=(3, 4))
