"""Convolution of 8-bit values with 8-bit weights: real-valued layers in fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.summing import SummingConv2d


@dataclass(frozen=True, eq=False)
class Int8Conv2d(SummingConv2d):
    """Reads a uint8 or int8 map; int8 weights; sum of weight * pixel in int32.

    Taps outside the map contribute 0.

    Attributes:
        weights: `[C_out, kernel_h, kernel_w, C_in]` int8.
        window: geometry; its kernel equals the weights'.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "int8_conv2d"
    reads: ClassVar[tuple[DType, ...]] = PIXELS
    has_sign_weights: ClassVar[bool] = False
    weights: NDArray[np.int8]
    window: Window
    stage: OutputStage

    def weight_table(self) -> Table:
        comment = "[channel][kernel_h][kernel_w][input channel]"
        return Table("weights", "int8_t", self.weights, comment)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        return (("input_type", pixel_type(source.dtype)),)
