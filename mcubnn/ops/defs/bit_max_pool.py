"""Pooling of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType
from mcubnn.ops.geometry import Window
from mcubnn.ops.pooling import ExtremumPool


@dataclass(frozen=True, eq=False)
class BitMaxPool(ExtremumPool):
    """Reads a bit map; OR over each window, AND in the channels marked as minimum.

    A maximum before a threshold with negative slope is a minimum behind it. Taps outside the map
    do not count; every window must contain a pixel of the map.

    Attributes:
        window: geometry.
        minimum: `[C]` bool.
    """

    name: ClassVar[str] = "bit_max_pool"
    reads: ClassVar[tuple[DType, ...]] = (DType.BIT,)
    window: Window
    minimum: NDArray[np.bool_]
