"""What a kernel variant must say of itself: where it applies, how it is called, what it costs.

A variant computes exactly what its operator's portable kernel computes; only speed and memory
differ. The operator's own `kernel_call` is the portable variant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp, KernelCall


class Isa(StrEnum):
    """Instruction sets that kernels are written for."""

    HOST = "host"
    THUMB1 = "thumb1"
    THUMB2 = "thumb2"
    MVE = "mve"


@dataclass(frozen=True)
class Core:
    """A processor core as the cost model sees it.

    Attributes:
        cpu: `-mcpu` value, for example `cortex-m4`; `host` for this computer.
        isas: instruction sets it executes, best last.
    """

    cpu: str
    isas: tuple[Isa, ...]


@dataclass(frozen=True)
class Footprint:
    """What one call adds to an image.

    Attributes:
        scratch_bytes: working memory.
        table_bytes: constants.
        code_bytes: code by the source file that it stems from; kernels that need the same file
            share it.
        stack_bytes: of the deepest path from the kernel's function.
    """

    scratch_bytes: int
    table_bytes: int
    code_bytes: Mapping[str, int]
    stack_bytes: int


@dataclass(frozen=True)
class Cost:
    """Estimated cost of one call.

    Attributes:
        instructions: mean executed instructions at the given density of set input bits.
        worst_instructions: bound over all inputs.
        cycles: mean, by the core's pipeline model with zero wait states.
    """

    instructions: float
    worst_instructions: int
    cycles: float
    footprint: Footprint

    @property
    def scratch_bytes(self) -> int:
        """Working memory."""
        return self.footprint.scratch_bytes

    @property
    def flash_bytes(self) -> int:
        """Constants and code, also code that others share."""
        return self.footprint.table_bytes + sum(self.footprint.code_bytes.values())


class KernelVariant(ABC):
    """A kernel for one operator."""

    name: ClassVar[str]
    """Short name, for example `f2c`; the kernel is `mcubnn_<operator>_<name>`."""

    operator: ClassVar[str]
    isa: ClassVar[Isa]
    """The least that a core must execute. A better one may have other code behind the same name;
    `cost` tells them apart by the core."""

    constant_time: ClassVar[bool]
    """Whether neither time nor memory addresses depend on the input's values."""

    @abstractmethod
    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        """Why this variant cannot compute `op`; empty if it can."""

    def why_not_on(self, op: DeviceOp, sources: Sequence[TensorType], core: Core) -> str:
        """Why not on this core, whose instruction set it has; empty if it can.

        Asked only where `why_not` is empty.
        """
        del op, sources, core
        return ""

    @abstractmethod
    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        """The call, with this variant's tables and scratch."""

    @abstractmethod
    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        """Estimate for a core; `density` is the share of set bits in a binary input."""
