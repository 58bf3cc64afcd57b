"""Fully connected layer of bits with bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType
from mcubnn.ops.base import Table
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_bits
from mcubnn.ops.summing import SummingDense


@dataclass(frozen=True, eq=False)
class BinaryDense(SummingDense):
    """Reads a bit vector or map; weights -1 / +1; sum = elements - 2 * popcount(input xor weights).

    A map is read as it lies in memory: every pixel starts on a word, in the weights too.

    Attributes:
        weights: `[N_out, *input shape]` int8 of -1 and +1.
        stage: what becomes of the sums.
    """

    name: ClassVar[str] = "binary_dense"
    reads: ClassVar[tuple[DType, ...]] = (DType.BIT,)
    has_sign_weights: ClassVar[bool] = True
    weights: NDArray[np.int8]
    stage: OutputStage

    def weight_table(self) -> Table:
        comment = "[output][pixel][word], bits of the input channels"
        return Table("weights", "uint32_t", pack_bits(self.weights), comment)
