"""Chooses the kernel of every node: for a goal, a core, and what RAM and flash allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcubnn.artifacts import Candidate, KernelChoice, Selected
from mcubnn.board import Board
from mcubnn.errors import UsageError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.variants.base import Core, KernelVariant
from mcubnn.ops.variants.cores import core_for
from mcubnn.ops.variants.portable import PORTABLE, portable_cost
from mcubnn.ops.variants.specialized import Specialized
from mcubnn.ops.variants.table import VARIANTS
from mcubnn.plan import search
from mcubnn.plan.goals import Goal, Memory, Option, Rank, by_speed, cost_of, rank_between, rank_for
from mcubnn.plan.limits import Budget, arena_room, flash_room, ram_room
from mcubnn.plan.liveness import device_op, lifetimes
from mcubnn.plan.search import Row

DENSITY = 0.5
"""Share of set bits assumed where no calibration data says more."""


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

    Where nothing fits the budget what exceeds it least is chosen; `make_plan` and `check_built`
    then say what is missing.

    Raises:
        UsageError: an override names an unknown node or a kernel that cannot compute it.
    """
    _check_overrides(graph, options.overrides)
    core = core_for(board.cpu)
    rows = [_candidates(graph, node, core, options) for node in graph.nodes]
    usable = [[c for c in row if c.cost is not None] for row in rows]
    memory = Memory(
        live_bytes=_live_bytes(graph),
        hot_code_in_ram=board.hot_region is not None,
        arena_room=max(arena_room(board).values()),
        ram_room=ram_room(board, budget),
        flash_room=flash_room(board, budget, len(graph.nodes)),
    )
    best = _best(usable, [node.op.name for node in graph.nodes], memory, options.goal)
    choices = tuple(
        KernelChoice(node.name, c.variant, cost_of(c), tuple(row))
        for node, c, row in zip(graph.nodes, best.picked, rows, strict=True)
    )
    return Selected(_specialize(graph, choices), choices)


def _best(rows: Sequence[Row], operators: Sequence[str], memory: Memory, goal: Goal) -> Option:
    """The best option for a goal."""
    found = search.options(rows, operators, memory)

    def least(rank: Rank) -> Option:
        return search.improve(min(found, key=rank), rows, memory, rank)

    fastest = least(by_speed)
    if goal is Goal.SPEED:
        return fastest
    if goal is not Goal.BALANCED:
        return least(rank_for(goal, fastest))
    extremes = [fastest, *(least(rank_for(g, fastest)) for g in (Goal.RAM, Goal.FLASH))]
    found += extremes
    return least(rank_between(fastest, extremes))


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
