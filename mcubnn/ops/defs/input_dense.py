"""Fully connected layer of 8-bit values with binary weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.device_rules import PIXELS
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_by_output
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.summing import SummingDense


@dataclass(frozen=True, eq=False)
class InputDense(SummingDense):
    """Reads a uint8 or int8 vector or map; weights -1 / +1; sum of weight * value in int32.

    Attributes:
        weights: `[N_out, *input shape]` int8 of -1 and +1.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "input_dense"
    reads: ClassVar[tuple[DType, ...]] = PIXELS
    has_sign_weights: ClassVar[bool] = True
    weights: NDArray[np.int8]
    stage: OutputStage

    def weight_table(self) -> Table:
        comment = "[output / 32][input element], bits of 32 outputs"
        flat = self.weights.reshape(self.weights.shape[0], -1)
        return Table("weights", "uint32_t", pack_by_output(flat), comment)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        return (("input_type", pixel_type(source.dtype)),)
