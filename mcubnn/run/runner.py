"""What every way to run an image has in common."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from mcubnn.run.protocol import Hello, NodeTicks, Reply


@dataclass(frozen=True)
class Deadlines:
    """How long to wait for what, in seconds, and how often to ask.

    Attributes:
        open_s: for a port to open or an emulator to start.
        hello_s: for the first hello; the n-th attempt waits n times as long, because a board may
            still be booting or finishing what a previous host asked for.
        hello_attempts: how often to say hello.
        reply_s: for a result, beside the time its bytes need on the line.
        attempts: how often to send one request.
        quiet_s: silence after which the line counts as drained before a request is repeated.
        stop_s: for a process to end by itself.
    """

    open_s: float = 10.0
    hello_s: float = 1.5
    hello_attempts: int = 4
    reply_s: float = 20.0
    attempts: int = 3
    quiet_s: float = 0.05
    stop_s: float = 2.0


class Runner(Protocol):
    """A device that runs one model, between entering and leaving its context.

    Every method raises TargetError when the device, or the line to it, fails.
    """

    @property
    def description(self) -> str:
        """Where the image runs, for example `QEMU 7.2.22, mps2-an385`."""

    @property
    def retries(self) -> int:
        """Inferences and traces repeated because a frame was lost or damaged."""

    def __enter__(self) -> Self:
        """Start or connect to the device."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Stop it and release the port; nothing stays behind."""

    def hello(self) -> Hello:
        """Ask what runs there."""

    def infer(self, image: bytes) -> Reply:
        """Run the model on one image, given as its bytes in NHWC order."""

    def trace(self, node: int, image: bytes) -> bytes:
        """Run nodes 0..node on one image; return the bytes of the last one's result."""

    def profile(self, image: bytes) -> NodeTicks:
        """Run the model on one image and time every node, in ticks of the device's counter."""

    @property
    def instruction_ns(self) -> int:
        """Device time that every executed instruction takes, exactly; 0 where that is not so."""
