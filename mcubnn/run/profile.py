"""Timing every node of a network over a data set, in the unit that the device can count."""

from __future__ import annotations

import numpy as np

from mcubnn.artifacts import NodeCosts
from mcubnn.errors import TargetError
from mcubnn.ir.types import Array
from mcubnn.run.protocol import NodeTicks
from mcubnn.run.runner import Runner
from mcubnn.run.session import Progress, check_model

INSTRUCTIONS = "instructions"
CYCLES = "cycles"
TICKS = "ticks"

_NS_PER_S = 10**9


def measure(
    runner: Runner,
    images: Array,
    model_hash: int,
    core_clock_hz: int,
    progress: Progress | None = None,
) -> NodeCosts:
    """Profile every image through an entered runner.

    Args:
        runner: inside its `with` block.
        images: `[N, *input shape]`, uint8 or int8, NHWC.
        model_hash: of the program that should be running (`CProgram.model_hash`).
        core_clock_hz: the board's; a counter of that frequency counts cycles.
        progress: told after each image.

    Raises:
        TargetError: another model runs there, it has no counter, or the line fails.
    """
    hello = runner.hello()
    check_model(hello, images, model_hash, runner.description)
    rows = np.zeros((len(images), hello.node_count), np.int64)
    tick_hz = 0
    for index, image in enumerate(images):
        ticks = runner.profile(image.tobytes())
        _check(ticks, hello.node_count, runner.description)
        tick_hz = ticks.tick_hz
        rows[index] = node_costs(ticks, runner.instruction_ns)
        if progress is not None:
            progress(index + 1, len(images))
    unit = _unit(runner.instruction_ns, tick_hz, core_clock_hz)
    return NodeCosts(rows, unit, tick_hz, runner.description)


def node_costs(ticks: NodeTicks, instruction_ns: int) -> tuple[int, ...]:
    """The cost of each node without that of the measurement.

    Args:
        ticks: what the device counted.
        instruction_ns: device time of one instruction; 0 to stay with ticks.

    A reading is the true time rounded down to a tick, so the difference of two readings is less
    than one tick away from the truth. Where one instruction takes more than two ticks this is less
    than half an instruction, and rounding gives the exact number.
    """
    empty = _amount(ticks.empty_ticks, ticks.tick_hz, instruction_ns)
    return tuple(
        max(0, _amount(node, ticks.tick_hz, instruction_ns) - empty) for node in ticks.nodes
    )


def _amount(ticks: int, tick_hz: int, instruction_ns: int) -> int:
    if not instruction_ns:
        return ticks
    per_instruction = tick_hz * instruction_ns  # ticks, times 10^9
    assert per_instruction > 2 * _NS_PER_S, "an instruction must take more than two ticks"
    return (2 * ticks * _NS_PER_S + per_instruction) // (2 * per_instruction)


def _unit(instruction_ns: int, tick_hz: int, core_clock_hz: int) -> str:
    if instruction_ns:
        return INSTRUCTIONS
    return CYCLES if tick_hz == core_clock_hz else TICKS


def _check(ticks: NodeTicks, node_count: int, where: str) -> None:
    if ticks.tick_hz == 0:
        raise TargetError(
            f"{where} has no counter: its nodes cannot be timed",
            "profile on an emulated board, such as --board qemu-mps2-an386",
        )
    if len(ticks.nodes) != node_count:
        raise TargetError(
            f"{where}: ticks of {len(ticks.nodes)} nodes arrived; its hello promised {node_count}",
            "build and flash the firmware again",
        )
