"""Fully connected layer of 8-bit values with binary weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_by_output
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.summing import SummingDense


@dataclass(frozen=True, eq=False)
class InputDense(SummingDense):
    """Reads a uint8 or int8 vector or map; weights -1 / +1; sum of multiplier * weight * value.

    The sum is in int32. A vector is a map of one pixel: each of its elements is a channel.

    Attributes:
        weights: `[N_out, *input shape]` int8 of -1 and +1.
        channel_multipliers: `[channels]` int32, or None for 1; for channels of unlike scale.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "input_dense"
    reads: ClassVar[tuple[DType, ...]] = PIXELS
    has_sign_weights: ClassVar[bool] = True
    weights: NDArray[np.int8]
    channel_multipliers: NDArray[np.int32] | None
    stage: OutputStage

    @property
    def factors(self) -> Array:
        if self.channel_multipliers is None:
            return self.weights
        return self.weights * self.channel_multipliers.astype(np.int64)

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        multipliers = self.channel_multipliers
        require(
            multipliers is None or multipliers.shape == (sources[0].channels,),
            "input_dense needs one channel multiplier per input channel",
            [sources[0], "none" if multipliers is None else f"multipliers {multipliers.shape}"],
        )
        return super().infer(sources)

    def weight_table(self) -> Table:
        comment = "[output / 32][input element], bits of 32 outputs"
        flat = self.weights.reshape(self.weights.shape[0], -1)
        return Table("weights", "uint32_t", pack_by_output(flat), comment)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        multipliers = self.channel_multipliers
        table = None
        if multipliers is not None:
            table = Table("channel_multipliers", "int32_t", multipliers, "[input channel]")
        return (("input_type", pixel_type(source.dtype)), ("channel_multipliers", table))
