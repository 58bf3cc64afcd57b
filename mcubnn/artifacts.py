"""What the stages hand to each other; the file to read first.

    model file --frontend--> Graph --passes--> Graph --plan--> Selected, MemoryPlan
        --codegen--> CProgram
        --build--> Firmware --run--> RunResult --validate--> Comparison --report--> Report

Every artifact is frozen. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.graph import Graph
from mcubnn.ir.types import Array, DType
from mcubnn.ops.variants.base import Cost

ARENA_SECTION = ".mcubnn_arena"
"""Output section of the model's arena."""

HOT_SECTION = ".mcubnn_hot"
"""Code that is stored in flash and runs in RAM; where it runs in flash it is part of `.text`."""


class InputLayout(StrEnum):
    """Order of the axes of a four-dimensional model input."""

    NCHW = "nchw"
    NHWC = "nhwc"


@dataclass(frozen=True)
class InputOptions:
    """How pixels become the model's input: x = (pixel * scale - mean) / std.

    Attributes:
        dtype: type of the pixels the device receives, uint8 or int8.
        mean, std: one value, or one per channel.
        layout: of the model's input; None where the file tells, or its sizes do.
    """

    dtype: DType = DType.UINT8
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: InputLayout | None = None


@dataclass(frozen=True)
class Candidate:
    """A kernel that could compute a node, or why it cannot."""

    variant: str
    cost: Cost | None
    why_not: str


@dataclass(frozen=True)
class KernelChoice:
    """The kernel of one node and what was considered."""

    node: str
    variant: str
    cost: Cost
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Selected:
    """A graph whose operators carry their kernels."""

    graph: Graph
    choices: tuple[KernelChoice, ...]


@dataclass(frozen=True)
class Allocation:
    """Where a tensor or a node's scratch lives in the arena, and when.

    Attributes:
        first_step, last_step: indices of the first and last node during which it is alive.
    """

    tensor: str
    offset_bytes: int
    size_bytes: int
    first_step: int
    last_step: int


@dataclass(frozen=True)
class MemoryPlan:
    """Offsets of all activations in one static arena.

    Attributes:
        arena_bytes: size of the arena.
        planner: name of the planner whose result was best.
        candidates: arena size each planner reached.
        arena_region: the board's memory region that holds the arena.
        weight_bytes: constants of all nodes, in flash.
    """

    arena_bytes: int
    allocations: tuple[Allocation, ...]
    planner: str
    candidates: Mapping[str, int]
    arena_region: str
    weight_bytes: int


@dataclass(frozen=True)
class CProgram:
    """The generated library: file names relative to its folder, and their text.

    Attributes:
        prefix: prefix of every public symbol; sanitised model name.
        model_hash: CRC-32 over the weights and structure; the device reports it in its hello.
        files: C and header text by file name.
        node_symbols: for each node (in execution order) the names of its constants.
    """

    prefix: str
    model_hash: int
    files: Mapping[str, str]
    node_symbols: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SymbolSize:
    """One symbol of the linked image.

    Attributes:
        section: output section, such as `.text`, `.rodata`, `.data`, `.bss`.
    """

    name: str
    section: str
    size_bytes: int


@dataclass(frozen=True)
class StackUsage:
    """Worst-case stack by the compiler's call graph, and the path that reaches it."""

    worst_case_bytes: int
    path: tuple[str, ...]


@dataclass(frozen=True)
class Firmware:
    """A built image and what was read from it.

    Attributes:
        image: the ELF file (or the host executable).
        board_id: id of the board, or `host`.
        compiler: version line of the compiler.
        text_bytes, rodata_bytes, data_bytes, bss_bytes, hot_bytes: sizes of the ELF's sections;
            `.data` and hot code count in flash and in RAM. Zero for the host.
        stack_reserved_bytes: the linker script's stack.
    """

    image: Path
    board_id: str
    compiler: str
    text_bytes: int = 0
    rodata_bytes: int = 0
    data_bytes: int = 0
    bss_bytes: int = 0
    stack_reserved_bytes: int = 0
    stack: StackUsage | None = None
    symbols: tuple[SymbolSize, ...] = ()
    hot_bytes: int = 0

    @property
    def flash_bytes(self) -> int:
        """Bytes of the image in flash."""
        return self.text_bytes + self.rodata_bytes + self.data_bytes + self.hot_bytes

    @property
    def static_ram_bytes(self) -> int:
        """Bytes of RAM without the stack."""
        return self.data_bytes + self.bss_bytes + self.hot_bytes


@dataclass(frozen=True)
class RunResult:
    """What a device answered.

    Attributes:
        scores: int32 `[N, outputs]`, in the order of the images.
        seconds: wall time on the host, transfers included; never a device time.
        runner: how it was run, for example `QEMU 7.2.22, mps2-an385`.
    """

    scores: NDArray[np.int32]
    seconds: float
    runner: str

    @property
    def classes(self) -> NDArray[np.int64]:
        """Index of the highest score; the first one on ties."""
        return np.argmax(self.scores, axis=1)


@dataclass(frozen=True)
class NodeCosts:
    """What every node took on every image.

    Attributes:
        costs: int64 `[N, nodes]`, nodes in execution order; the measurement's own cost subtracted.
        unit: `instructions` (executed, exact), `cycles` of the core clock, or `ticks`.
        tick_hz: frequency of the counter that was read.
        runner: how it was run, for example `QEMU 7.2.22 -icount, mps2-an386`.
    """

    costs: NDArray[np.int64]
    unit: str
    tick_hz: int
    runner: str


@dataclass(frozen=True)
class DataSet:
    """Images in the model's layout and type, `[N, *input shape]`, and labels `[N]` or None."""

    images: Array
    labels: NDArray[np.int64] | None
    source: str


@dataclass(frozen=True)
class Difference:
    """The first place where a device differs from the reference."""

    image: int
    node: str
    operator: str
    index: tuple[int, ...]
    expected: int
    found: int


@dataclass(frozen=True)
class Comparison:
    """Outcome of a validation.

    Attributes:
        images: number of images compared.
        identical: number whose every output equals the reference.
        difference: the first difference, if any.
        accuracy: share of correct classes; None without labels.
        float_agreement: share of images whose class equals the framework's; None if not compared.
        float_engine: what the framework was, or why it was not compared.
        runner: how the device was run.
        seconds: wall time on the host of the device run.
    """

    images: int
    identical: int
    difference: Difference | None
    accuracy: float | None
    float_agreement: float | None
    float_engine: str
    runner: str
    seconds: float
    notes: tuple[str, ...] = field(default=())
