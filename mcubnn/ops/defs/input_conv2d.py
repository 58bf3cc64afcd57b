"""Convolution of 8-bit pixels with binary weights: the usual first layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ops.base import Table
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_by_output
from mcubnn.ops.pixel_sums import PixelSums
from mcubnn.ops.pooled import PooledConv2d


@dataclass(frozen=True, eq=False)
class InputConv2d(PixelSums, PooledConv2d):
    """Reads a uint8 or int8 map; weights -1 / +1; sum of multiplier * weight * pixel in int32.

    Taps outside the map contribute 0.

    Attributes:
        weights: `[C_out, kernel_h, kernel_w, C_in]` int8 of -1 and +1.
        window: geometry; its kernel equals the weights'.
        channel_multipliers: `[C_in]` int32, or None for 1; for channels of unlike scale.
        stage: what becomes of the sums.
        pool: what becomes of the bits behind it; None for nothing.
    """

    name: ClassVar[str] = "input_conv2d"
    weights: NDArray[np.int8]
    window: Window
    channel_multipliers: NDArray[np.int32] | None
    stage: OutputStage
    pool: BitMaxPool | None = None

    def weight_table(self) -> Table:
        comment = "[channel / 32][kernel_h][kernel_w][input channel], bits of 32 output channels"
        return Table("weights", "uint32_t", pack_by_output(self.weights), comment)
