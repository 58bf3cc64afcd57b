"""Choosing a runner for a built image, and streaming a data set through one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from mcubnn.artifacts import Firmware, RunResult
from mcubnn.board import Board
from mcubnn.errors import TargetError
from mcubnn.ir.types import Array
from mcubnn.run.host import HostRunner
from mcubnn.run.line_runner import LineRunner
from mcubnn.run.protocol import Hello
from mcubnn.run.qemu import QemuRunner
from mcubnn.run.runner import Deadlines, Runner
from mcubnn.run.serial_board import SerialRunner, find_port

Progress = Callable[[int, int], None]
"""Called with the number of finished images and of all images."""


def make_runner(
    firmware: Firmware,
    board: Board | None,
    port: str | None = None,
    deadlines: Deadlines | None = None,
    *,
    count_instructions: bool = False,
) -> LineRunner:
    """The runner for an image: the host if there is no board, else what the board file says.

    Args:
        firmware: the image; a serial board must have been flashed with it before.
        board: None for the host executable.
        port: the serial port or URL; a USB serial port is looked for if it is None. A port also
            replaces the emulator of a board that has one.
        deadlines: other than the usual ones.
        count_instructions: let an emulator's timers count executed instructions; slower.
    """
    if board is None:
        return HostRunner(firmware.image, deadlines)
    if port is None and board.runner == "qemu":
        return QemuRunner(
            board.qemu_machine, firmware.image, deadlines, count_instructions=count_instructions
        )
    return SerialRunner(port or find_port(), board.baud, deadlines)


def stream(
    runner: Runner, images: Array, model_hash: int, progress: Progress | None = None
) -> RunResult:
    """Run every image through an entered runner.

    Args:
        runner: inside its `with` block.
        images: `[N, *input shape]`, uint8 or int8, NHWC.
        model_hash: of the program that should be running (`CProgram.model_hash`).
        progress: told after each image.

    Raises:
        TargetError: another model runs there, or the line fails.
    """
    started = time.perf_counter()
    hello = runner.hello()
    check_model(hello, images, model_hash, runner.description)
    scores = np.zeros((len(images), hello.output_count), np.int32)
    for index, image in enumerate(images):
        reply = runner.infer(image.tobytes())
        if reply.scores.size != hello.output_count:
            raise TargetError(
                f"{runner.description}: image {index}: {reply.scores.size} scores arrived; its "
                f"hello promised {hello.output_count}",
                "build and flash the firmware again",
            )
        scores[index] = reply.scores
        if progress is not None:
            progress(index + 1, len(images))
    return RunResult(scores, time.perf_counter() - started, runner.description)


def check_model(hello: Hello, images: Array, model_hash: int, where: str) -> None:
    """Raise TargetError unless the device runs the expected model and takes such images."""
    if hello.model_hash != model_hash:
        raise TargetError(
            f"the board runs another model ({where})\n"
            f"  expected: hash {model_hash:08x}\n"
            f"  found:    hash {hello.model_hash:08x}, model {hello.model_name}, "
            f"built for {hello.board_name}",
            "flash the image that was just built, or build from the model that is on the board",
        )
    image_bytes = math.prod(images.shape[1:])
    if hello.input_bytes == image_bytes and hello.input_type.value == images.dtype.name:
        return
    raise TargetError(
        f"the board's input differs from the images ({where})\n"
        f"  images: {images.dtype.name} {images.shape[1:]}, {image_bytes} bytes each\n"
        f"  board:  {hello.input_type.value} {hello.input_shape}, {hello.input_bytes} bytes",
        "build and flash the firmware again",
    )
