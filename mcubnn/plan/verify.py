"""Re-checks a plan from the graph alone; shares no code with the planners."""

from __future__ import annotations

from collections.abc import Mapping

from mcubnn.artifacts import Allocation, MemoryPlan
from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.base import DeviceOp


def verify_plan(graph: Graph, plan: MemoryPlan) -> None:
    """Replay the graph on the arena and fail if a tensor is overwritten before its last use.

    Raises:
        InternalError: an overlap, a misaligned, missing, short or overflowing allocation.
    """
    where = {a.tensor: a for a in plan.allocations}
    _check_allocations(graph, plan, where)
    owner: list[str | None] = [None] * plan.arena_bytes
    _write(owner, where[graph.input], graph.input)
    for node in graph.nodes:
        _replay(owner, where, node)
    _expect(owner, where[graph.output], graph.output, "the caller")


def _check_allocations(graph: Graph, plan: MemoryPlan, where: Mapping[str, Allocation]) -> None:
    for tensor, kind in graph.tensors.items():
        if tensor not in where:
            raise InternalError(f"plan: tensor {tensor} has no memory")
        if where[tensor].size_bytes < kind.storage_bytes:
            raise InternalError(f"plan: tensor {tensor} needs {kind.storage_bytes} bytes")
    for node in graph.nodes:
        needed_bytes = _scratch_bytes(graph, node)
        scratch = where.get(f"{node.name}.scratch")
        if needed_bytes > (0 if scratch is None else scratch.size_bytes):
            raise InternalError(f"plan: scratch of {node.name} needs {needed_bytes} bytes")
    for allocation in plan.allocations:
        end = allocation.offset_bytes + allocation.size_bytes
        if allocation.offset_bytes % 4 or allocation.offset_bytes < 0 or end > plan.arena_bytes:
            raise InternalError(f"plan: {allocation} is misaligned or outside the arena")


def _scratch_bytes(graph: Graph, node: Node) -> int:
    if not isinstance(node.op, DeviceOp):
        raise InternalError(f"plan: node {node.name} has no kernel")
    return node.op.kernel_call([graph.tensors[name] for name in node.sources]).scratch_bytes


def _replay(owner: list[str | None], where: Mapping[str, Allocation], node: Node) -> None:
    """One node: its sources are intact, then scratch and result take their bytes over."""
    assert isinstance(node.op, DeviceOp), "_scratch_bytes has checked that"
    result, scratch = where[node.result], where.get(f"{node.name}.scratch")
    for source in node.sources:
        _expect(owner, where[source], source, node.name)
        same_place = where[source].offset_bytes == result.offset_bytes
        if not (node.op.in_place and same_place):
            _disjoint(where[source], result, node.name)
        if scratch is not None:
            _disjoint(where[source], scratch, node.name)
    if scratch is not None:
        _disjoint(scratch, result, node.name)
        _write(owner, scratch, scratch.tensor)
    _write(owner, result, node.result)


def _write(owner: list[str | None], allocation: Allocation, name: str) -> None:
    end = allocation.offset_bytes + allocation.size_bytes
    owner[allocation.offset_bytes : end] = [name] * allocation.size_bytes


def _expect(owner: list[str | None], allocation: Allocation, name: str, reader: str) -> None:
    end = allocation.offset_bytes + allocation.size_bytes
    if set(owner[allocation.offset_bytes : end]) - {name}:
        raise InternalError(f"plan: {name} is overwritten before {reader} reads it")


def _disjoint(a: Allocation, b: Allocation, node: str) -> None:
    if a.offset_bytes < b.offset_bytes + b.size_bytes and (
        b.offset_bytes < a.offset_bytes + a.size_bytes
    ):
        raise InternalError(f"plan: {a.tensor} and {b.tensor} overlap in {node}")
