"""Convolution of bits with bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Table, Value
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import pack_bits
from mcubnn.ops.pooled import PooledConv2d


@dataclass(frozen=True, eq=False)
class BinaryConv2d(PooledConv2d):
    """Reads a bit map; weights -1 / +1; sum = valid taps * C_in - 2 * popcount(input xor weights).

    Taps outside the map do not count with pad_value 0 (exact zero padding) and count as constant
    bits with pad_value -1 or +1.

    Attributes:
        weights: `[C_out, kernel_h, kernel_w, C_in]` int8 of -1 and +1.
        window: geometry; its kernel equals the weights'.
        pad_value: 0, -1 or +1.
        stage: what becomes of the sums.
        pool: what becomes of the bits behind it; None for nothing.
    """

    name: ClassVar[str] = "binary_conv2d"
    reads: ClassVar[tuple[DType, ...]] = (DType.BIT,)
    has_sign_weights: ClassVar[bool] = True
    weights: NDArray[np.int8]
    window: Window
    pad_value: int
    stage: OutputStage
    pool: BitMaxPool | None = None

    @property
    def fill(self) -> int:
        return self.pad_value

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        require(
            self.pad_value in (-1, 0, 1),
            "binary_conv2d's pad_value must be -1, 0 or 1",
            [self.pad_value],
        )
        return super().infer(sources)

    def weight_table(self) -> Table:
        comment = "[channel][kernel_h][kernel_w][word], bits of the input channels"
        return Table("weights", "uint32_t", pack_bits(self.weights), comment)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        del source
        return (("pad_value", self.pad_value),)
