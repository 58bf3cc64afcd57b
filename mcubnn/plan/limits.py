"""What a program may use at most: the board's memory and the user's budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcubnn.artifacts import ARENA_SECTION, HOT_SECTION, Firmware
from mcubnn.board import Board
from mcubnn.errors import BudgetError

LARGEST_CONSUMERS = 3
_NOT_IN_FLASH = frozenset({".bss", ARENA_SECTION})
_IN_RAM = _NOT_IN_FLASH | {".data", HOT_SECTION}

STATIC_DATA_BYTES = 1024
"""Left free beside arena and stack for the firmware's own variables; the linker checks exactly."""

FIRMWARE_BYTES = 3072
"""Flash left free for the firmware without kernels; the linked image is checked exactly."""

NODE_BYTES = 100
"""Flash of a node's parameters and call."""


@dataclass(frozen=True)
class Budget:
    """Limits the user gave, in bytes; None for none."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None


@dataclass(frozen=True)
class Limit:
    """What may be used at most.

    Attributes:
        what: flash or RAM.
        origin: the board, or the user's budget.
    """

    what: str
    available_bytes: int
    origin: str


def limits(board: Board, budget: Budget) -> tuple[Limit, ...]:
    """The board's memory and the user's budget."""
    found = [
        Limit("flash", sum(r.size_bytes for r in board.flash), f"board {board.id}"),
        Limit("RAM", sum(r.size_bytes for r in board.static_ram), f"board {board.id}"),
    ]
    if budget.flash_bytes is not None:
        found.append(Limit("flash", budget.flash_bytes, "--budget"))
    if budget.ram_bytes is not None:
        found.append(Limit("RAM", budget.ram_bytes, "--budget"))
    return tuple(found)


def check_limit(limit: Limit, needed_bytes: int, consumers: Mapping[str, int]) -> None:
    """Raise BudgetError with the largest consumers if `needed_bytes` exceeds the limit."""
    if needed_bytes <= limit.available_bytes:
        return
    largest = sorted(consumers.items(), key=lambda item: -item[1])[:LARGEST_CONSUMERS]
    lines = "\n".join(f"  {name}: {size:,} bytes" for name, size in largest)
    raise BudgetError(
        f"{limit.what}: {needed_bytes:,} bytes needed, {limit.available_bytes:,} available "
        f"({limit.origin})\nlargest consumers:\n{lines}",
        "make these layers narrower, or choose a larger board or budget",
    )


def check_built(firmware: Firmware, board: Board, budget: Budget) -> None:
    """Check the linked image, code and stack included.

    Raises:
        BudgetError: it exceeds the board or the budget.
    """
    in_flash = {s.name: s.size_bytes for s in firmware.symbols if s.section not in _NOT_IN_FLASH}
    in_ram = {s.name: s.size_bytes for s in firmware.symbols if s.section in _IN_RAM}
    stack_bytes = firmware.stack.worst_case_bytes if firmware.stack else 0
    for limit in limits(board, budget):
        if limit.what == "flash":
            check_limit(limit, firmware.flash_bytes, in_flash)
        else:
            check_limit(limit, firmware.static_ram_bytes + stack_bytes, in_ram)


def arena_room(board: Board) -> dict[str, int]:
    """Bytes an arena may take in each RAM region; the fastest one also holds the stack."""
    room = {region.name: region.size_bytes for region in board.ram}
    room[board.ram[0].name] -= board.stack_bytes + STATIC_DATA_BYTES
    return room


def ram_room(board: Board, budget: Budget) -> int:
    """Bytes of RAM beside the stack, for the arena and code that runs from RAM."""
    return _least(board, budget, "RAM") - board.stack_bytes


def flash_room(board: Board, budget: Budget, nodes: int) -> int:
    """Bytes of flash that kernels and their constants may take, in a network of so many nodes."""
    return _least(board, budget, "flash") - FIRMWARE_BYTES - NODE_BYTES * nodes


def _least(board: Board, budget: Budget, what: str) -> int:
    return min(limit.available_bytes for limit in limits(board, budget) if limit.what == what)
