"""Fully connected layer of 8-bit values with binary weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ops.base import Table
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_by_output
from mcubnn.ops.pixel_sums import PixelSums
from mcubnn.ops.summing import SummingDense


@dataclass(frozen=True, eq=False)
class InputDense(PixelSums, SummingDense):
    """Reads a uint8 or int8 vector or map; weights -1 / +1; sum of multiplier * weight * value.

    The sum is in int32. A vector is a map of one pixel: each of its elements is a channel.

    Attributes:
        weights: `[N_out, *input shape]` int8 of -1 and +1.
        channel_multipliers: `[channels]` int32, or None for 1; for channels of unlike scale.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "input_dense"
    weights: NDArray[np.int8]
    channel_multipliers: NDArray[np.int32] | None
    stage: OutputStage

    def weight_table(self) -> Table:
        comment = "[output / 32][input element], bits of 32 outputs"
        flat = self.weights.reshape(self.weights.shape[0], -1)
        return Table("weights", "uint32_t", pack_by_output(flat), comment)
