"""Offset planners: each places lifetimes in one arena; the smallest result wins.

First fit finds the best arena in the right order, and no simple rule gives that order always: where
in-place blocks stand in each other's way, random orders find what the rules miss.

In-place pairs are first merged into one block: one offset, but each part keeps its own size and
lifetime, so that memory which a smaller result leaves free can be used by others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mcubnn.plan.liveness import Lifetime


@dataclass(frozen=True)
class Block:
    """Buffers that share one offset because each is computed in place of the one before."""

    parts: tuple[Lifetime, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The buffers."""
        return tuple(part.name for part in self.parts)

    @property
    def size_bytes(self) -> int:
        """Of the largest part."""
        return max(part.size_bytes for part in self.parts)

    @property
    def first_step(self) -> int:
        """When the first part begins."""
        return self.parts[0].first_step

    @property
    def last_step(self) -> int:
        """When the last part ends."""
        return self.parts[-1].last_step


Order = Callable[[Block], tuple[float, ...]]

PLANNERS: Mapping[str, Order] = {
    "greedy by size": lambda b: (-b.size_bytes, b.first_step),
    "greedy by start": lambda b: (b.first_step, -b.size_bytes),
    "greedy by duration": lambda b: (b.first_step - b.last_step, -b.size_bytes),
    "greedy by area": lambda b: (-b.size_bytes * (b.last_step - b.first_step + 1), b.first_step),
}

RANDOM_ORDERS = 500


def plans(blocks: Sequence[Block]) -> dict[str, dict[str, int]]:
    """Each planner's name and offsets."""
    found = {name: place(blocks, order) for name, order in PLANNERS.items()}
    shuffled = (place(blocks, order) for order in _random_orders(blocks))
    found["random orders"] = min(shuffled, key=lambda offsets: extent(blocks, offsets))
    return found


def _random_orders(blocks: Sequence[Block]) -> Iterator[Order]:
    """The same ones in every build."""
    generator = random.Random(0)
    for _ in range(RANDOM_ORDERS):
        ranks = {block.names: (generator.random(),) for block in blocks}
        yield partial(_rank, ranks)


def _rank(ranks: Mapping[tuple[str, ...], tuple[float, ...]], block: Block) -> tuple[float, ...]:
    return ranks[block.names]


def merge_in_place(found: Sequence[Lifetime]) -> tuple[Block, ...]:
    """Blocks of buffers that take over each other's memory."""
    blocks: dict[str, Block] = {}
    for lifetime in found:
        earlier = blocks.get(lifetime.in_place_of)
        block = Block((lifetime,) if earlier is None else (*earlier.parts, lifetime))
        for name in block.names:
            blocks[name] = block
    return tuple(dict.fromkeys(blocks.values()))


def place(blocks: Sequence[Block], order: Order) -> dict[str, int]:
    """Offsets by first fit: blocks in the given order, each at the lowest free offset."""
    placed: list[tuple[int, Lifetime]] = []
    for block in sorted(blocks, key=order):
        offset = _lowest_free(block, placed)
        placed += [(offset, part) for part in block.parts]
    return {part.name: offset for offset, part in placed}


def _lowest_free(block: Block, placed: Sequence[tuple[int, Lifetime]]) -> int:
    """The lowest offset at which no part overlaps a placed buffer that is alive with it.

    A part of `size` bytes and a buffer at `start` forbid the offsets between `start - size` and
    the buffer's end.
    """
    forbidden = sorted(
        (start - part.size_bytes, start + other.size_bytes)
        for start, other in placed
        for part in block.parts
        if other.first_step <= part.last_step and part.first_step <= other.last_step
    )
    offset = 0
    for low, high in forbidden:
        if offset <= low:
            break
        offset = max(offset, high)
    return offset


def extent(blocks: Sequence[Block], offsets: Mapping[str, int]) -> int:
    """Bytes of the arena that holds all blocks."""
    return max((offsets[b.names[0]] + b.size_bytes for b in blocks), default=0)
