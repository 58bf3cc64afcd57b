"""Pooling of 8-bit values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.geometry import Window
from mcubnn.ops.pooling import ExtremumPool
from mcubnn.ops.structs import pixel_type


@dataclass(frozen=True, eq=False)
class Int8MaxPool(ExtremumPool):
    """Reads a uint8 or int8 map; maximum over each window, minimum in the channels marked so.

    Taps outside the map do not count; every window must contain a pixel of the map.

    Attributes:
        window: geometry.
        minimum: `[C]` bool.
    """

    name: ClassVar[str] = "int8_max_pool"
    reads: ClassVar[tuple[DType, ...]] = PIXELS
    window: Window
    minimum: NDArray[np.bool_]

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        return (("input_type", pixel_type(source.dtype)),)
