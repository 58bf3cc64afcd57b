"""The independent checker finds every kind of broken plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.artifacts import Allocation, MemoryPlan
from mcubnn.board import load_board
from mcubnn.errors import InternalError
from mcubnn.ir.types import TensorType
from mcubnn.ops.base import KernelCall
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.verify import verify_plan
from tests.architecture.models import every_operator

_BOARD = load_board("nucleo-f746")
_GRAPH = every_operator()[0]


def _changed(
    plan: MemoryPlan, tensor: str, *, offset_bytes: int | None = None, size_bytes: int | None = None
) -> MemoryPlan:
    def change(a: Allocation) -> Allocation:
        offset = a.offset_bytes if offset_bytes is None else offset_bytes
        size = a.size_bytes if size_bytes is None else size_bytes
        return replace(a, offset_bytes=offset, size_bytes=size)

    changed = (change(a) if a.tensor == tensor else a for a in plan.allocations)
    return replace(plan, allocations=tuple(changed))


def _offset(plan: MemoryPlan, name: str) -> int:
    return next(a.offset_bytes for a in plan.allocations if a.tensor == name)


def _roomy(plan: MemoryPlan) -> MemoryPlan:
    """An arena in which no moved buffer ends outside."""
    return replace(plan, arena_bytes=2 * plan.arena_bytes)


def _without(plan: MemoryPlan, tensor: str) -> MemoryPlan:
    return replace(plan, allocations=tuple(a for a in plan.allocations if a.tensor != tensor))


_LAYER = _GRAPH.nodes[0]
_SABOTAGE: dict[str, tuple[Callable[[MemoryPlan], MemoryPlan], str]] = {
    "missing": (lambda p: _without(p, _GRAPH.input), "has no memory"),
    "short": (lambda p: _changed(p, _GRAPH.input, size_bytes=4), "needs .* bytes"),
    "misaligned": (lambda p: _changed(p, _GRAPH.output, offset_bytes=2), "misaligned"),
    "negative": (lambda p: _changed(p, _GRAPH.output, offset_bytes=-4), "outside the arena"),
    "outside": (lambda p: replace(p, arena_bytes=p.arena_bytes - 4), "outside the arena"),
    "overlap": (
        lambda p: _changed(_roomy(p), _LAYER.result, offset_bytes=_offset(p, _GRAPH.input)),
        f"{_GRAPH.input} and {_LAYER.result} overlap",
    ),
}


@pytest.mark.parametrize("kind", _SABOTAGE)
def test_broken_plan_is_found(kind: str) -> None:
    plan = make_plan(_GRAPH, _BOARD, Budget())
    sabotage, message = _SABOTAGE[kind]
    with pytest.raises(InternalError, match=message):
        verify_plan(_GRAPH, sabotage(plan))


def test_tensor_overwritten_before_its_last_reader_is_found() -> None:
    first, second, *_ = _GRAPH.nodes
    late = replace(second, name="late", result="late", sources=(_GRAPH.input,), op=first.op)
    nodes = (*_GRAPH.nodes, late)
    tensors = {**_GRAPH.tensors, "late": _GRAPH.tensors[first.result]}
    graph = replace(_GRAPH, nodes=nodes, tensors=tensors)
    plan = make_plan(graph, _BOARD, Budget())
    verify_plan(graph, plan)
    broken = _changed(_roomy(plan), second.result, offset_bytes=_offset(plan, _GRAPH.input))
    with pytest.raises(InternalError, match=r"overwritten before late|overlap"):
        verify_plan(graph, broken)


@dataclass(frozen=True, eq=False)
class _Hungry(BinaryDense):
    """A layer that asks for working memory."""

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        return replace(super().kernel_call(sources), scratch_bytes=37)


def test_scratch_is_planned_and_checked() -> None:
    last = _GRAPH.nodes[-1]
    assert isinstance(last.op, BinaryDense)
    hungry = replace(last, op=_Hungry(last.op.weights, last.op.stage))
    graph = replace(_GRAPH, nodes=(*_GRAPH.nodes[:-1], hungry))
    plan, scratch = make_plan(graph, _BOARD, Budget()), f"{last.name}.scratch"
    (allocation,) = (a for a in plan.allocations if a.tensor == scratch)
    assert allocation.size_bytes == 40
    for broken in (_without(plan, scratch), _changed(plan, scratch, size_bytes=36)):
        with pytest.raises(InternalError, match=f"scratch of {last.name} needs 37 bytes"):
            verify_plan(graph, broken)
    for other in (hungry.sources[0], hungry.result):
        broken = _changed(_roomy(plan), scratch, offset_bytes=_offset(plan, other))
        with pytest.raises(InternalError, match="overlap"):
            verify_plan(graph, broken)


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_moved_buffer_is_accepted_only_where_it_harms_nothing(data: st.DataObject) -> None:
    """A plan that the checker accepts keeps every tensor until its last reader has run."""
    plan = make_plan(_GRAPH, _BOARD, Budget())
    moved = data.draw(st.sampled_from([a.tensor for a in plan.allocations]))
    offset = data.draw(st.integers(0, plan.arena_bytes // 4)) * 4
    broken = _changed(plan, moved, offset_bytes=offset)
    try:
        verify_plan(_GRAPH, broken)
    except InternalError:
        return
    _assert_disjoint(broken)


def _assert_disjoint(plan: MemoryPlan) -> None:
    """Buffers alive in the same step are apart, except where one is computed over the other."""
    in_place = {
        frozenset((n.sources[0], n.result))
        for n in _GRAPH.nodes
        if getattr(n.op, "in_place", False)
    }
    for a in plan.allocations:
        for b in plan.allocations:
            together = a.first_step <= b.last_step and b.first_step <= a.last_step
            if a is b or not together or frozenset((a.tensor, b.tensor)) in in_place:
                continue
            assert (
                a.offset_bytes + a.size_bytes <= b.offset_bytes
                or b.offset_bytes + b.size_bytes <= a.offset_bytes
            )
