"""What the first layers share: 8-bit values, binary weights, a multiplier for each channel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.summing import SummingOp


class PixelSums(SummingOp):
    """Sums of multiplier * weight * pixel; no dataclass, as its base."""

    reads: ClassVar[tuple[DType, ...]] = PIXELS
    has_sign_weights: ClassVar[bool] = True
    channel_multipliers: NDArray[np.int32] | None

    @property
    def factors(self) -> Array:
        if self.channel_multipliers is None:
            return self.weights
        return self.weights * self.channel_multipliers.astype(np.int64)

    def require_sums(self, source: TensorType) -> None:
        multipliers = self.channel_multipliers
        require(
            multipliers is None or multipliers.shape == (source.channels,),
            f"{self.name} needs one channel multiplier per input channel",
            [source, "none" if multipliers is None else f"multipliers {multipliers.shape}"],
        )
        super().require_sums(source)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        multipliers = self.channel_multipliers
        table = None
        if multipliers is not None:
            table = Table("channel_multipliers", "int32_t", multipliers, "[input channel]")
        return (("input_type", pixel_type(source.dtype)), ("channel_multipliers", table))
