"""Bare intervals for the planners, and graphs for the checker."""

from __future__ import annotations

from hypothesis import strategies as st

from mcubnn.plan.liveness import Lifetime


def _lifetime(index: int, size: int, first: int, length: int) -> Lifetime:
    return Lifetime(f"t{index}", 4 * size, first, first + length)


@st.composite
def interval_lists(draw: st.DrawFn) -> list[Lifetime]:
    """Up to 14 buffers of word sizes over up to 12 steps."""
    rows = draw(
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 11), st.integers(0, 6)), max_size=14)
    )
    return [_lifetime(index, *row) for index, row in enumerate(rows)]


def live_bytes(found: list[Lifetime]) -> int:
    """Largest number of bytes alive at once: no planner can use fewer."""
    steps = range(20)
    return max(
        sum(f.size_bytes for f in found if f.first_step <= step <= f.last_step) for step in steps
    )


@st.composite
def in_place_lists(draw: st.DrawFn) -> list[Lifetime]:
    """A chain of tensors, some computed in place, and scratch beside some steps."""
    found: list[Lifetime] = []
    for step in range(draw(st.integers(1, 8))):
        size, scratch = 4 * draw(st.integers(1, 40)), 4 * draw(st.integers(0, 40))
        is_in_place: bool = draw(st.booleans())
        taken = found[-1].name if found and is_in_place else ""
        extra = [Lifetime(f"s{step}", scratch, step, step)] if scratch else []
        tensor = Lifetime(f"t{step}", size, step, step + 1, taken)
        found = [*extra, *found, tensor] if step % 2 else [*found, *extra, tensor]
    return found
