"""What a choice of kernels costs the whole image, and which of two is better for a goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcubnn.artifacts import Candidate
from mcubnn.ops.variants.base import Cost
from mcubnn.plan.liveness import align

SLOWDOWN = 2.0
"""How many times the cycles of the fastest choice that fits any other goal may cost."""

ASSEMBLY = ".S"
"""Sources of hot code."""


class Goal(StrEnum):
    """What to optimise."""

    SPEED = "speed"
    RAM = "ram"
    FLASH = "flash"
    BALANCED = "balanced"


@dataclass(frozen=True)
class Memory:
    """What every choice meets.

    Attributes:
        live_bytes: of the arena at each step, without scratch.
        hot_code_in_ram: whether the board copies assembly to RAM.
        arena_room: bytes of the largest region for the arena.
        ram_room: bytes of the budget for the arena and code in RAM.
        flash_room: bytes for kernels and their constants.
    """

    live_bytes: Sequence[int]
    hot_code_in_ram: bool
    arena_room: int
    ram_room: int
    flash_room: int


@dataclass(frozen=True)
class Option:
    """A kernel for each node, and what the image will show.

    Attributes:
        ram_bytes: arena, stack of the deepest kernel, and code that runs from RAM.
        flash_bytes: constants, and all code once.
        excess_bytes: what does not fit.
    """

    picked: tuple[Candidate, ...]
    cycles: float
    ram_bytes: int
    flash_bytes: int
    excess_bytes: int


Rank = Callable[[Option], tuple[float, ...]]
"""Smaller is better."""


def cost_of(candidate: Candidate) -> Cost:
    """The cost of a kernel that can compute its node."""
    assert candidate.cost is not None
    return candidate.cost


def make_option(picked: Sequence[Candidate], memory: Memory) -> Option:
    """Add up a choice: constants by node, code by source file, RAM by the largest need."""
    costs = [cost_of(candidate) for candidate in picked]
    code: dict[str, int] = {}
    for cost in costs:
        code.update(cost.footprint.code_bytes)
    arena = max(
        live + align(cost.scratch_bytes)
        for live, cost in zip(memory.live_bytes, costs, strict=True)
    )
    flash = sum(cost.footprint.table_bytes for cost in costs) + sum(code.values())
    hot = sum(size for source, size in code.items() if source.endswith(ASSEMBLY))
    static = arena + (hot if memory.hot_code_in_ram else 0)
    over = (arena - memory.arena_room, static - memory.ram_room, flash - memory.flash_room)
    return Option(
        picked=tuple(picked),
        cycles=sum(cost.cycles for cost in costs),
        ram_bytes=static + max(cost.footprint.stack_bytes for cost in costs),
        flash_bytes=flash,
        excess_bytes=sum(max(0, bytes_) for bytes_ in over),
    )


def by_speed(option: Option) -> tuple[float, ...]:
    """The order for `speed`: what fits, then the fastest."""
    return (option.excess_bytes, option.cycles, option.ram_bytes, option.flash_bytes)


def rank_for(goal: Goal, fastest: Option) -> Rank:
    """The order for RAM or flash: what fits, is not too slow, and needs least."""
    assert goal in (Goal.RAM, Goal.FLASH)

    def rank(option: Option) -> tuple[float, ...]:
        needs = (option.ram_bytes, option.cycles, option.flash_bytes)
        if goal is Goal.FLASH:
            needs = (option.flash_bytes, option.cycles, option.ram_bytes)
        return (option.excess_bytes, _lost_time(option, fastest), *needs)

    return rank


def rank_between(fastest: Option, extremes: Sequence[Option]) -> Rank:
    """The order for `balanced`: the smallest product, in nothing worse than all the extremes."""
    most_ram = max(option.ram_bytes for option in extremes)
    most_flash = max(option.flash_bytes for option in extremes)

    def rank(option: Option) -> tuple[float, ...]:
        worse = option.ram_bytes > most_ram or option.flash_bytes > most_flash
        return (
            option.excess_bytes,
            _lost_time(option, fastest),
            float(worse),
            option.cycles * option.ram_bytes * option.flash_bytes,
        )

    return rank


def _lost_time(option: Option, fastest: Option) -> float:
    """Cycles beyond those that saving memory is worth."""
    return max(0.0, option.cycles - SLOWDOWN * fastest.cycles)
