"""Chooses the kernel of every node: for a goal, a core, and what RAM and flash allow.

The arena is the maximum over the nodes, so one node's frugality is wasted below another's need.
Therefore every arena size that some choice of kernels could cause is tried as a cap: under it each
node takes its fastest kernel, then whichever other one improves the goal, node by node until none
does; the best of all caps wins. Graphs are small, so all caps can be tried.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mcubnn.artifacts import Candidate, KernelChoice, Selected
from mcubnn.board import Board
from mcubnn.errors import UsageError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.variants.base import Core, Cost, KernelVariant
from mcubnn.ops.variants.cores import core_for
from mcubnn.ops.variants.portable import PORTABLE, portable_cost
from mcubnn.ops.variants.specialized import Specialized
from mcubnn.ops.variants.table import VARIANTS
from mcubnn.plan.limits import Budget, arena_room
from mcubnn.plan.liveness import align, device_op, lifetimes

DENSITY = 0.5
"""Share of set bits assumed where no calibration data says more."""


class Goal(StrEnum):
    """What to optimise."""

    SPEED = "speed"
    RAM = "ram"
    FLASH = "flash"
    BALANCED = "balanced"


# Exponents of (cycles, arena, flash) in the product that is minimised.
_WEIGHTS: Mapping[Goal, tuple[float, float, float]] = {
    Goal.SPEED: (1.0, 0.0, 0.0),
    Goal.RAM: (1.0, 4.0, 0.0),
    Goal.FLASH: (1.0, 0.0, 8.0),
    Goal.BALANCED: (1.0, 1.0, 1.0),
}


@dataclass(frozen=True)
class SelectionOptions:
    """What the user wants.

    Attributes:
        overrides: pairs of node name and variant name.
        constant_time: only kernels whose time does not depend on the data.
    """

    goal: Goal = Goal.SPEED
    overrides: tuple[tuple[str, str], ...] = ()
    constant_time: bool = False


def select_kernels(
    graph: Graph, board: Board, options: SelectionOptions, budget: Budget
) -> Selected:
    """Choose a kernel for every node of a lowered graph.

    Where nothing fits the budget the smallest arena is chosen; `make_plan` then says what is
    missing.

    Raises:
        UsageError: an override names an unknown node or a kernel that cannot compute it.
    """
    _check_overrides(graph, options.overrides)
    core = core_for(board.cpu)
    rows = [_candidates(graph, node, core, options) for node in graph.nodes]
    live = _live_bytes(graph)
    room = max(arena_room(board).values())
    if budget.ram_bytes is not None:
        room = min(room, budget.ram_bytes - board.stack_bytes)
    best = min(
        (_under_cap(rows, live, cap, options.goal) for cap in _caps(rows, live)),
        key=lambda option: (max(0, option.arena_bytes - room), _score(option, options.goal)),
    ).picked
    choices = tuple(
        KernelChoice(node.name, c.variant, _cost(c), tuple(row))
        for node, c, row in zip(graph.nodes, best, rows, strict=True)
    )
    return Selected(_specialize(graph, choices), choices)


@dataclass(frozen=True)
class _Option:
    """Kernels under one arena cap."""

    picked: tuple[Candidate, ...]
    arena_bytes: int


def _caps(rows: Sequence[Sequence[Candidate]], live: Sequence[int]) -> list[int]:
    """Arena sizes that some kernel could cause, from the smallest that all nodes can live with."""
    needs = [
        [live[i] + align(c.cost.scratch_bytes) for c in row if c.cost is not None]
        for i, row in enumerate(rows)
    ]
    floor = max(min(row) for row in needs)
    return sorted({need for row in needs for need in row if need >= floor})


def _under_cap(
    rows: Sequence[Sequence[Candidate]], live: Sequence[int], cap: int, goal: Goal
) -> _Option:
    usable = [_fitting(row, cap - live[i]) for i, row in enumerate(rows)]
    best = _option([min(row, key=lambda c: _cost(c).cycles) for row in usable], live)
    improved = True
    while improved:
        improved = False
        for index, row in enumerate(usable):
            for other in row:
                picked = (*best.picked[:index], other, *best.picked[index + 1 :])
                option = _option(picked, live)
                if _score(option, goal) < _score(best, goal):
                    best, improved = option, True
    return best


def _option(picked: Sequence[Candidate], live: Sequence[int]) -> _Option:
    arena = max(live[i] + align(_cost(c).scratch_bytes) for i, c in enumerate(picked))
    return _Option(tuple(picked), arena)


def _score(option: _Option, goal: Goal) -> float:
    cycles = sum(_cost(c).cycles for c in option.picked)
    flash = sum(_cost(c).flash_bytes for c in option.picked)
    by_cycles, by_arena, by_flash = _WEIGHTS[goal]
    return (
        by_cycles * math.log(cycles + 1)
        + by_arena * math.log(option.arena_bytes + 1)
        + by_flash * math.log(flash + 1)
    )


def _fitting(row: Sequence[Candidate], room_bytes: int) -> list[Candidate]:
    return [c for c in row if c.cost is not None and align(c.cost.scratch_bytes) <= room_bytes]


def _cost(candidate: Candidate) -> Cost:
    assert candidate.cost is not None
    return candidate.cost


def _live_bytes(graph: Graph) -> list[int]:
    """Bytes alive at each step without scratch."""
    found = lifetimes(graph)
    return [
        sum(f.size_bytes for f in found if f.first_step <= step <= f.last_step)
        for step in range(len(graph.nodes))
    ]


def _candidates(
    graph: Graph, node: Node, core: Core, options: SelectionOptions
) -> tuple[Candidate, ...]:
    op = device_op(node)
    sources = [graph.tensors[name] for name in node.sources]
    row = [Candidate(PORTABLE, portable_cost(op, sources, core), "")]
    for variant in _variants_of(op.name):
        why_not = (
            _why_not(variant, core, options)
            or variant.why_not(op, sources)
            or variant.why_not_on(op, sources, core)
        )
        density = graph.densities.get(node.sources[0], DENSITY)
        cost = None if why_not else variant.cost(op, sources, core, density)
        row.append(Candidate(variant.name, cost, why_not))
    wanted = dict(options.overrides).get(node.name)
    if wanted is None:
        return tuple(row)
    return _only(node, row, wanted)


def _only(node: Node, row: Sequence[Candidate], wanted: str) -> tuple[Candidate, ...]:
    matching = [c for c in row if c.variant == wanted]
    if not matching:
        known = ", ".join(c.variant for c in row)
        raise UsageError(
            f"--kernel {node.name}={wanted}: no such kernel; {node.op.name} has {known}",
            "`mcubnn inspect --board` lists the kernels of every node",
        )
    if matching[0].cost is None:
        raise UsageError(
            f"--kernel {node.name}={wanted}: {matching[0].why_not}", "choose another kernel"
        )
    others = [replace(c, cost=None, why_not="--kernel chose another") for c in row]
    return tuple(matching[0] if c.variant == wanted else c for c in others)


def _variants_of(operator: str) -> list[KernelVariant]:
    return [variant for variant in VARIANTS if variant.operator == operator]


def _why_not(variant: KernelVariant, core: Core, options: SelectionOptions) -> str:
    if variant.isa not in core.isas:
        return f"needs {variant.isa.value}; {core.cpu} has {', '.join(i.value for i in core.isas)}"
    if options.constant_time and not variant.constant_time:
        return "its time depends on the data, and --constant-time is set"
    return ""


def _specialize(graph: Graph, choices: Sequence[KernelChoice]) -> Graph:
    by_name = {(v.operator, v.name): v for v in VARIANTS}
    nodes = []
    for node, choice in zip(graph.nodes, choices, strict=True):
        variant = by_name.get((node.op.name, choice.variant))
        op = device_op(node)
        nodes.append(node if variant is None else replace(node, op=Specialized(op, variant)))
    return replace(graph, nodes=tuple(nodes))


def _check_overrides(graph: Graph, overrides: tuple[tuple[str, str], ...]) -> None:
    names = [node.name for node in graph.nodes]
    for name, variant in overrides:
        if name not in names:
            raise UsageError(
                f"--kernel {name}={variant}: no such node; the nodes are {', '.join(names)}",
                "`mcubnn inspect` lists the nodes",
            )


def selection_options(document: Mapping[str, Any]) -> SelectionOptions:
    """The options a build folder recorded.

    Raises:
        UsageError: they are damaged.
    """
    try:
        pairs = tuple((str(node), str(variant)) for node, variant in document["overrides"])
        return SelectionOptions(Goal(document["goal"]), pairs, bool(document["constant_time"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"damaged build folder: kernel options: {error}", "build the model again"
        ) from error
