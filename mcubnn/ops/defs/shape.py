"""Operators that move elements without computing: flatten and pad; absorbed by the passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mcubnn.ir.op import Op, require
from mcubnn.ir.types import Array, TensorType


@dataclass(frozen=True, eq=False)
class Flatten(Op):
    """A map to a vector.

    Attributes:
        channels_first: True where the model flattens (channels, height, width), the order of
            PyTorch and ONNX; False for (height, width, channels).
    """

    name: ClassVar[str] = "flatten"
    channels_first: bool

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        return TensorType((source.elements,), source.dtype)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        maps = sources[0]
        ordered = np.moveaxis(maps, -1, 1) if self.channels_first else maps
        return ordered.reshape(maps.shape[0], -1)


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """Constant padding of a map's height and width.

    Attributes:
        pads: rows and columns added at the top, left, bottom and right.
        value: the constant.
    """

    name: ClassVar[str] = "pad"
    pads: tuple[int, int, int, int]
    value: float

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require(len(source.shape) == 3, "pad reads a map (height, width, channels)", [source])
        top, left, bottom, right = self.pads
        height, width, channels = source.shape
        return TensorType((height + top + bottom, width + left + right, channels), source.dtype)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        top, left, bottom, right = self.pads
        border = ((0, 0), (top, bottom), (left, right), (0, 0))
        return np.pad(sources[0], border, constant_values=self.value)
