"""Planners on bare interval lists."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.plan.liveness import Lifetime
from mcubnn.plan.offsets import PLANNERS, extent, merge_in_place, place, plans
from tests.unit.plan.lifetimes import in_place_lists, interval_lists, live_bytes


def _overlaps(found: list[Lifetime], offsets: dict[str, int]) -> list[tuple[str, str]]:
    return [
        (a.name, b.name)
        for a, b in itertools.combinations(found, 2)
        if a.first_step <= b.last_step
        and b.first_step <= a.last_step
        and offsets[a.name] < offsets[b.name] + b.size_bytes
        and offsets[b.name] < offsets[a.name] + a.size_bytes
    ]


@given(interval_lists(), st.sampled_from(sorted(PLANNERS)))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_two_live_buffers_overlap(found: list[Lifetime], planner: str) -> None:
    blocks = merge_in_place(found)
    offsets = place(blocks, PLANNERS[planner])
    assert _overlaps(found, offsets) == []
    assert all(offset >= 0 and offset % 4 == 0 for offset in offsets.values())
    total = sum(f.size_bytes for f in found)
    assert live_bytes(found) <= extent(blocks, offsets) <= total


@given(in_place_lists(), st.sampled_from(sorted(PLANNERS)))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_buffers_in_place_share_offsets_and_overlap_nothing_else(
    found: list[Lifetime], planner: str
) -> None:
    offsets = place(merge_in_place(found), PLANNERS[planner])
    pairs = {(f.in_place_of, f.name) for f in found if f.in_place_of}
    assert all(offsets[a] == offsets[b] for a, b in pairs)
    assert set(_overlaps(found, offsets)) <= pairs


def test_memory_that_a_smaller_result_in_place_leaves_is_used() -> None:
    found = [
        Lifetime("map", 800, 0, 1),
        Lifetime("pooled", 200, 1, 2, in_place_of="map"),
        Lifetime("scratch", 1124, 2, 2),
    ]
    blocks = merge_in_place(found)
    assert min(extent(blocks, place(blocks, order)) for order in PLANNERS.values()) == 1324


def test_random_orders_find_what_the_rules_miss() -> None:
    """A pool in place ties its map to an offset that every rule chooses badly."""
    found = [
        Lifetime("image", 64, 0, 0),
        Lifetime("first", 144, 0, 1),
        Lifetime("table", 1248, 0, 0),
        Lifetime("map", 288, 1, 2),
        Lifetime("list", 596, 1, 1),
        Lifetime("pooled", 72, 2, 3, in_place_of="map"),
        Lifetime("entries", 1172, 3, 3),
        Lifetime("hidden", 8, 3, 4),
        Lifetime("scores", 40, 4, 4),
    ]
    blocks = merge_in_place(found)
    sizes = {name: extent(blocks, offsets) for name, offsets in plans(blocks).items()}
    assert sizes["random orders"] == live_bytes(found) == 1456
    assert min(sizes[name] for name in PLANNERS) == 1604


def test_plans_are_the_same_every_time() -> None:
    found = [Lifetime(f"t{i}", 4 * (i * 7 % 5 + 1), i, i + 2) for i in range(12)]
    assert plans(merge_in_place(found)) == plans(merge_in_place(found))


def test_chain_of_layers_needs_the_two_largest_neighbours() -> None:
    sizes = [64, 256, 128, 512, 32]
    found = [Lifetime(f"t{i}", size, max(0, i - 1), i) for i, size in enumerate(sizes)]
    blocks = merge_in_place(found)
    best = min(extent(blocks, place(blocks, order)) for order in PLANNERS.values())
    assert best == 640 == live_bytes(found)


def test_in_place_buffers_share_one_block_of_the_larger_size() -> None:
    found = [
        Lifetime("a", 100, 0, 1),
        Lifetime("b", 40, 1, 2, in_place_of="a"),
        Lifetime("c", 120, 2, 3, in_place_of="b"),
    ]
    (block,) = merge_in_place(found)
    assert block.names == ("a", "b", "c")
    assert (block.size_bytes, block.first_step, block.last_step) == (120, 0, 3)
    offsets = place((block,), PLANNERS["greedy by size"])
    assert len(set(offsets.values())) == 1


@pytest.mark.parametrize("planner", PLANNERS)
def test_nothing_to_place_takes_no_memory(planner: str) -> None:
    assert extent((), place((), PLANNERS[planner])) == 0
