"""The choices of kernels that can be best, for whatever goal.

Three things couple the nodes. The arena is the maximum over the nodes, so one node's frugality is
wasted below another's need; the stack is that of the deepest kernel; and code counts once, however
many nodes use it. Therefore every arena size that some kernel could cause is tried as a cap, and
for each operator every set of its kernels. Inside a cap and a set each node takes its fastest
kernel, or the one with the fewest constants. That contains the smallest RAM and the smallest flash
there is, and the fastest choice. What lies between is improved node by node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from mcubnn.artifacts import Candidate
from mcubnn.plan.goals import Memory, Option, Rank, cost_of, make_option
from mcubnn.plan.liveness import align

Row = Sequence[Candidate]
"""The kernels of a node."""


def options(rows: Sequence[Row], operators: Sequence[str], memory: Memory) -> list[Option]:
    """All of them, for the usable kernels of every node and the nodes' operators."""
    found: dict[tuple[str, ...], Option] = {}
    for cap in _caps(rows, memory.live_bytes):
        usable = [
            [c for c in row if live + align(cost_of(c).scratch_bytes) <= cap]
            for row, live in zip(rows, memory.live_bytes, strict=True)
        ]
        for picked in _choices(usable, operators):
            names = tuple(candidate.variant for candidate in picked)
            if names not in found:
                found[names] = make_option(picked, memory)
    return list(found.values())


def improve(best: Option, rows: Sequence[Row], memory: Memory, rank: Rank) -> Option:
    """Exchange the kernel of one node after the other, until none makes the choice better."""
    improved = True
    while improved:
        improved = False
        for index, row in enumerate(rows):
            for other in row:
                picked = (*best.picked[:index], other, *best.picked[index + 1 :])
                option = make_option(picked, memory)
                if rank(option) < rank(best):
                    best, improved = option, True
    return best


def _caps(rows: Sequence[Row], live_bytes: Sequence[int]) -> list[int]:
    """Arena sizes that some kernel could cause, from the smallest that all nodes can live with."""
    needs = [
        [live + align(cost_of(c).scratch_bytes) for c in row]
        for row, live in zip(rows, live_bytes, strict=True)
    ]
    floor = max(min(row) for row in needs)
    return sorted({need for row in needs for need in row if need >= floor})


def _choices(rows: Sequence[Row], operators: Sequence[str]) -> Iterator[tuple[Candidate, ...]]:
    """Each operator's choices combined with those of all others."""
    groups = {name: [i for i, o in enumerate(operators) if o == name] for name in operators}
    parts = [_of_operator([rows[i] for i in nodes]) for nodes in groups.values()]
    places = [place for nodes in groups.values() for place in nodes]
    for combined in product(*parts):
        by_place = dict(zip(places, (c for part in combined for c in part), strict=True))
        yield tuple(by_place[index] for index in range(len(rows)))


def _of_operator(rows: Sequence[Row]) -> list[tuple[Candidate, ...]]:
    """The choices for the nodes of one operator, without repetition."""
    names = list(dict.fromkeys(c.variant for row in rows for c in row))
    found: dict[tuple[str, ...], tuple[Candidate, ...]] = {}
    for size in range(1, len(names) + 1):
        for allowed in combinations(names, size):
            left = [[c for c in row if c.variant in allowed] for row in rows]
            if not all(left):
                continue
            for picked in (_least(left, "cycles"), _least(left, "constants")):
                found[tuple(c.variant for c in picked)] = picked
    return list(found.values())


def _least(rows: Sequence[Row], what: str) -> tuple[Candidate, ...]:
    """The fastest kernel of each node, or that with the fewest constants."""

    def key(candidate: Candidate) -> tuple[float, float]:
        cost = cost_of(candidate)
        pair = (cost.cycles, float(cost.footprint.table_bytes))
        return pair if what == "cycles" else (pair[1], pair[0])

    return tuple(min(row, key=key) for row in rows)
