"""Fully connected layer of 8-bit values with 8-bit weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.summing import SummingDense


@dataclass(frozen=True, eq=False)
class Int8Dense(SummingDense):
    """Reads a uint8 or int8 vector or map; int8 weights; sum of weight * value in int32.

    Attributes:
        weights: `[N_out, *input shape]` int8.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "int8_dense"
    reads: ClassVar[tuple[DType, ...]] = PIXELS
    has_sign_weights: ClassVar[bool] = False
    weights: NDArray[np.int8]
    stage: OutputStage

    def weight_table(self) -> Table:
        return Table("weights", "int8_t", self.weights, "[output][input element]")

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        return (("input_type", pixel_type(source.dtype)),)
