"""The last step of every summing operator: integer sums to bits, int8 or scores.

Mirrors `mcubnn_output_stage` of runtime_c. A stage may differ by position (at a padded border the
same sum can mean another real value): `position_class` maps each output pixel to a table row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import Array, DType
from mcubnn.ops.base import Constant, Struct, Table
from mcubnn.ops.packing import pack_flags


@dataclass(frozen=True, eq=False)
class OutputStage(ABC):
    """Maps int32 sums `[N, ..., C]` to the output tensor.

    Attributes:
        position_class: `[H, W]` uint8, row of the tables for each pixel; None if all use row 0.
    """

    dtype: ClassVar[DType]
    position_class: NDArray[np.uint8] | None

    @property
    @abstractmethod
    def channels(self) -> int:
        """Number of output channels."""

    @abstractmethod
    def apply(self, sums: Array) -> Array:
        """Numpy meaning: `[N, H, W, C]` or `[N, C]` integers to the output's unpacked values."""

    @abstractmethod
    def kind_struct(self) -> tuple[str, Struct]:
        """Name of the union member, which is also the kind, and its initialiser."""

    def rows(self, table: Array) -> Array:
        """A table `[classes, C]` spread over the positions: `[H, W, C]`, or `[C]`."""
        return table[0] if self.position_class is None else table[self.position_class]

    def struct(self) -> Struct:
        """Initialiser of `mcubnn_output_stage`."""
        member, initialiser = self.kind_struct()
        position = None
        if self.position_class is not None:
            position = Table(
                "position_class", "uint8_t", self.position_class, "[out_h][out_w], table row"
            )
        return Struct(
            (
                ("kind", Constant(f"MCUBNN_OUTPUT_{member.upper()}")),
                ("channels", self.channels),
                ("position_class", position),
                (f"as.{member}", initialiser),
            )
        )


@dataclass(frozen=True, eq=False)
class ThresholdStage(OutputStage):
    """One bit per channel: (sum >= threshold) xor flip.

    Attributes:
        thresholds: `[classes, C]` int32; INT32_MIN is always true.
        flip: `[C]` bool; set where the bit is 1 for small sums (negative BN gamma).
    """

    dtype: ClassVar[DType] = DType.BIT
    thresholds: NDArray[np.int32]
    flip: NDArray[np.bool_]

    @property
    def channels(self) -> int:
        return self.thresholds.shape[1]

    def apply(self, sums: Array) -> Array:
        positive = (sums >= self.rows(self.thresholds)) ^ self.flip
        return np.where(positive, 1, -1).astype(np.int8)

    def kind_struct(self) -> tuple[str, Struct]:
        return "bits", Struct(
            (
                ("thresholds", Table("thresholds", "int32_t", self.thresholds, "[class][channel]")),
                ("flip", Table("flip", "uint32_t", pack_flags(self.flip), "bit per channel")),
            )
        )


@dataclass(frozen=True, eq=False)
class RequantizeStage(OutputStage):
    """int8: clamp((sum * multiplier + bias + 2^(shift-1)) >> shift, low, high), in int64.

    Attributes:
        multiplier: `[C]` int32.
        bias: `[classes, C]` int64.
        shift: bits, 1..62.
        low, high: `[C]` int8.
    """

    dtype: ClassVar[DType] = DType.INT8
    multiplier: NDArray[np.int32]
    bias: NDArray[np.int64]
    shift: int
    low: NDArray[np.int8]
    high: NDArray[np.int8]

    @property
    def channels(self) -> int:
        return self.bias.shape[1]

    def apply(self, sums: Array) -> Array:
        wide = sums.astype(np.int64) * self.multiplier + self.rows(self.bias)
        rounded = (wide + (1 << (self.shift - 1))) >> self.shift
        return np.clip(rounded, self.low, self.high).astype(np.int8)

    def kind_struct(self) -> tuple[str, Struct]:
        return "s8", Struct(
            (
                ("multiplier", Table("multiplier", "int32_t", self.multiplier, "[channel]")),
                ("bias", Table("bias", "int64_t", self.bias, "[class][channel]")),
                ("shift", self.shift),
                ("low", Table("low", "int8_t", self.low, "[channel]")),
                ("high", Table("high", "int8_t", self.high, "[channel]")),
            )
        )


@dataclass(frozen=True, eq=False)
class ScoreStage(OutputStage):
    """int32: sum * multiplier + bias, guaranteed by the compiler not to overflow.

    Attributes:
        multiplier: `[C]` int32.
        bias: `[classes, C]` int32.
    """

    dtype: ClassVar[DType] = DType.INT32
    multiplier: NDArray[np.int32]
    bias: NDArray[np.int32]

    @property
    def channels(self) -> int:
        return self.bias.shape[1]

    def apply(self, sums: Array) -> Array:
        return (sums * self.multiplier + self.rows(self.bias)).astype(np.int32)

    def kind_struct(self) -> tuple[str, Struct]:
        return "s32", Struct(
            (
                ("multiplier", Table("multiplier", "int32_t", self.multiplier, "[channel]")),
                ("bias", Table("bias", "int32_t", self.bias, "[class][channel]")),
            )
        )
