"""Stage entry: lifetimes to offsets, the arena to a memory region, everything to the budget."""

from __future__ import annotations

from collections.abc import Mapping

from mcubnn.artifacts import Allocation, MemoryPlan
from mcubnn.board import Board, Region
from mcubnn.ir.graph import Graph
from mcubnn.plan.limits import Budget, Limit, arena_room, check_limit, limits
from mcubnn.plan.liveness import device_op, lifetimes
from mcubnn.plan.offsets import extent, merge_in_place, plans
from mcubnn.plan.verify import verify_plan


def make_plan(graph: Graph, board: Board, budget: Budget) -> MemoryPlan:
    """Place every tensor of a lowered graph for a board.

    Raises:
        BudgetError: the weights do not fit the flash or the arena none of the RAM regions, of the
            board or of the budget; the linked image is checked later by `check_built`.
    """
    found = lifetimes(graph)
    blocks = merge_in_place(found)
    results = plans(blocks)
    sizes = {name: extent(blocks, offsets) for name, offsets in results.items()}
    best = min(sizes, key=lambda name: sizes[name])
    allocations = tuple(
        Allocation(f.name, results[best][f.name], f.size_bytes, f.first_step, f.last_step)
        for f in found
    )
    weights = node_weight_bytes(graph)
    activations = {a.tensor: a.size_bytes for a in allocations}
    for limit in limits(board, budget):
        needed, consumers = (
            (sum(weights.values()), weights)
            if limit.what == "flash"
            else (sizes[best] + board.stack_bytes, activations)
        )
        check_limit(limit, needed, consumers)
    region = _arena_region(board, sizes[best], activations)
    plan = MemoryPlan(sizes[best], allocations, best, sizes, region.name, sum(weights.values()))
    verify_plan(graph, plan)
    return plan


def node_weight_bytes(graph: Graph) -> dict[str, int]:
    """Constants in flash by node, bytes."""
    return {
        node.name: device_op(node)
        .kernel_call([graph.tensors[s] for s in node.sources])
        .weight_bytes
        for node in graph.nodes
    }


def _arena_region(board: Board, arena_bytes: int, activations: Mapping[str, int]) -> Region:
    """The fastest RAM region that holds the arena beside the stack."""
    room = arena_room(board)
    for region in board.ram:
        if room[region.name] >= arena_bytes:
            return region
    largest = Limit("RAM region for the arena", max(room.values()), f"board {board.id}")
    check_limit(largest, arena_bytes, activations)
    raise AssertionError("check_limit raises when no region fits")
