"""The footprint report: one object, every number with unit and origin."""

from __future__ import annotations

from dataclasses import dataclass

from mcubnn.artifacts import (
    HOT_SECTION,
    Candidate,
    CProgram,
    Firmware,
    KernelChoice,
    MemoryPlan,
    Selected,
)
from mcubnn.board import Board
from mcubnn.ir.graph import Graph
from mcubnn.ops.base import DeviceOp

PLANNED = "planned"
ESTIMATED = "estimated"
BOUND = "bound"
BUILT = "linked image"
CALL_GRAPH = "call graph"
COUNTED = "counted"


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        limit: what the board or the budget allows, or None.
    """

    name: str
    value: int
    unit: str
    origin: str
    limit: int | None = None


@dataclass(frozen=True)
class LayerRow:
    """One node of the program.

    Attributes:
        operator: what it computes.
        kernel: the C function that does, without prefix.
        output: type and shape of the result.
        macs: multiply-accumulates of one image.
        weight_bits: 1, 8, or 0 for none.
        flash_bytes: its constants (weights, thresholds); planned and checked in the image.
        ram_bytes: arena bytes alive while it runs; planned.
    """

    name: str
    operator: str
    kernel: str
    output: str
    macs: int
    weight_bits: int
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class Alternative:
    """A kernel that was not chosen: its estimate, or why it cannot be used.

    Attributes:
        cycles: per image, estimated; None if it cannot be used.
        instructions: executed per image, estimated; None if it cannot be used.
        why_not: empty if it can be used.
    """

    variant: str
    cycles: int | None
    instructions: int | None
    scratch_bytes: int
    flash_bytes: int
    why_not: str


@dataclass(frozen=True)
class KernelRow:
    """The kernel of one node, by the cost model.

    Attributes:
        cycles: per image, estimated for the core without wait states; what `speed` goes by.
        instructions: executed per image, estimated for the core.
        worst_instructions: bound over all images.
        alternatives: the other kernels.
    """

    name: str
    variant: str
    cycles: int
    instructions: int
    worst_instructions: int
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Report:
    """What a build costs."""

    model: str
    model_hash: str
    board: str
    compiler: str
    planner: str
    arena_region: str
    layers: tuple[LayerRow, ...]
    kernels: tuple[KernelRow, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]

    def figure(self, name: str) -> Figure:
        """The figure of that name."""
        return next(figure for figure in self.figures if figure.name == name)


def make_report(
    selected: Selected, plan: MemoryPlan, program: CProgram, firmware: Firmware, board: Board
) -> Report:
    """Join the plan with what the linked image really holds."""
    graph = selected.graph
    layers = tuple(_layer(graph, plan, step) for step in range(len(graph.nodes)))
    return Report(
        model=graph.name,
        model_hash=f"{program.model_hash:08x}",
        board=board.id,
        compiler=firmware.compiler,
        planner=plan.planner,
        arena_region=plan.arena_region,
        layers=layers,
        kernels=kernel_rows(selected.choices),
        figures=(*_figures(layers, plan, firmware, board), *_work(selected.choices)),
        notes=tuple(f"{note.node}: {note.text}" for note in graph.notes),
    )


def _layer(graph: Graph, plan: MemoryPlan, step: int) -> LayerRow:
    node = graph.nodes[step]
    assert isinstance(node.op, DeviceOp)
    sources = [graph.tensors[name] for name in node.sources]
    call = node.op.kernel_call(sources)
    macs = node.op.macs(sources)
    return LayerRow(
        name=node.name,
        operator=node.op.operator,
        kernel=call.kernel,
        output=str(graph.tensors[node.result]),
        macs=macs,
        weight_bits=0 if not macs else 1 if node.op.binary_weights else 8,
        flash_bytes=call.weight_bytes,
        ram_bytes=_occupied_bytes(plan, step),
    )


def _occupied_bytes(plan: MemoryPlan, step: int) -> int:
    """Bytes of the arena in use during a step; those of a result computed in place count once."""
    alive = [a for a in plan.allocations if a.first_step <= step <= a.last_step]
    occupied, end = 0, 0
    for allocation in sorted(alive, key=lambda a: a.offset_bytes):
        last = allocation.offset_bytes + allocation.size_bytes
        occupied += max(0, last - max(end, allocation.offset_bytes))
        end = max(end, last)
    return occupied


def _figures(
    layers: tuple[LayerRow, ...], plan: MemoryPlan, firmware: Firmware, board: Board
) -> tuple[Figure, ...]:
    macs = sum(layer.macs for layer in layers)
    binary = sum(layer.macs for layer in layers if layer.weight_bits == 1)
    planned = (
        Figure("work per image", macs, "MAC", COUNTED),
        Figure("  with binary weights", binary, "MAC", COUNTED),
        Figure("weights, thresholds", plan.weight_bytes, "bytes", PLANNED),
        Figure("arena", plan.arena_bytes, "bytes", PLANNED),
    )
    if firmware.board_id == "host":
        return planned
    flash = sum(region.size_bytes for region in board.flash)
    ram = sum(region.size_bytes for region in board.static_ram)
    stack = firmware.stack.worst_case_bytes if firmware.stack else 0
    return (
        *planned,
        Figure("code (.text)", firmware.text_bytes, "bytes", BUILT),
        *_hot_code(firmware, board),
        Figure("constants (.rodata)", firmware.rodata_bytes, "bytes", BUILT),
        Figure("data (.data)", firmware.data_bytes, "bytes", BUILT),
        Figure("zeroed (.bss)", firmware.bss_bytes, "bytes", BUILT),
        Figure("stack, worst case", stack, "bytes", CALL_GRAPH, firmware.stack_reserved_bytes),
        Figure("total flash", firmware.flash_bytes, "bytes", BUILT, flash),
        Figure("total RAM with stack", firmware.static_ram_bytes + stack, "bytes", BUILT, ram),
    )


def _hot_code(firmware: Firmware, board: Board) -> tuple[Figure, ...]:
    region = board.hot_region
    if region is None:
        return ()
    size_bytes = firmware.hot_bytes
    return (Figure(f"hot code ({HOT_SECTION})", size_bytes, "bytes", BUILT, region.size_bytes),)


def kernel_rows(choices: tuple[KernelChoice, ...]) -> tuple[KernelRow, ...]:
    """What was chosen for every node, and what else there was."""
    return tuple(
        KernelRow(
            name=choice.node,
            variant=choice.variant,
            cycles=round(choice.cost.cycles),
            instructions=round(choice.cost.instructions),
            worst_instructions=choice.cost.worst_instructions,
            alternatives=tuple(
                _alternative(c) for c in choice.candidates if c.variant != choice.variant
            ),
        )
        for choice in choices
    )


def _alternative(candidate: Candidate) -> Alternative:
    cost = candidate.cost
    return Alternative(
        variant=candidate.variant,
        cycles=None if cost is None else round(cost.cycles),
        instructions=None if cost is None else round(cost.instructions),
        scratch_bytes=0 if cost is None else cost.scratch_bytes,
        flash_bytes=0 if cost is None else cost.flash_bytes,
        why_not=candidate.why_not,
    )


def _work(choices: tuple[KernelChoice, ...]) -> tuple[Figure, ...]:
    mean = round(sum(choice.cost.instructions for choice in choices))
    worst = sum(choice.cost.worst_instructions for choice in choices)
    return (
        Figure("instructions per image", mean, "", ESTIMATED),
        Figure("  at most", worst, "", BOUND),
    )
