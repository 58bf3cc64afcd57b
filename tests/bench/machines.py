"""The cores of the benchmark and the emulated machines that execute their code."""

from __future__ import annotations

from dataclasses import replace

from mcubnn.board import Board, load_board

M0_ON_M3 = "mps2-an385 (M0 code)"


def boards() -> tuple[Board, ...]:
    """One board a core.

    Cortex-M0 code runs on the emulated Cortex-M3: the micro:bit has 16 KiB of RAM, too little for
    most cases. Armv7-M executes every Armv6-M instruction, so the counts are the same, which a test
    shows with a network that fits both.
    """
    m0 = replace(load_board("qemu-mps2-an385"), id="bench-m0", cpu="cortex-m0")
    return (m0, *(load_board(f"qemu-mps2-{name}") for name in ("an385", "an386", "an500")))


def machine_name(board: Board) -> str:
    """What executes the code, for the result."""
    return M0_ON_M3 if board.id == "bench-m0" else board.qemu_machine
