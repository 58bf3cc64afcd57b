"""Runs an ELF image on qemu-system-arm, its UART on a socket.

QEMU connects to us, not we to QEMU: there is no port number to guess, no moment at which nobody
listens yet, and the kernel tells both sides at once when the other one dies.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from mcubnn.errors import TargetError
from mcubnn.run.child import Child
from mcubnn.run.child_runner import ChildRunner
from mcubnn.run.exchange import Peer
from mcubnn.run.line import Line, SocketLine
from mcubnn.run.runner import Deadlines

QEMU_PROGRAM = "qemu-system-arm"
_ICOUNT_SHIFT = 8
"""An executed instruction takes 2^8 ns: 6.4 ticks at 25 MHz, 4.1 at 16 MHz. More than two ticks are
enough for exact counts: each reading of a timer is rounded down by less than one."""

_ACCEPT_POLL_S = 0.05


class QemuRunner(ChildRunner):
    """An emulated machine, such as `mps2-an385`.

    Args:
        machine: QEMU's `-M`.
        image: ELF file.
        deadlines: other than the usual ones.
        program: QEMU.
        count_instructions: let emulated time follow the executed instructions, so that the
            machine's timers count them; slower.
    """

    def __init__(
        self,
        machine: str,
        image: Path,
        deadlines: Deadlines | None = None,
        program: str = QEMU_PROGRAM,
        *,
        count_instructions: bool = False,
    ) -> None:
        super().__init__(deadlines)
        self._machine = machine
        self._image = image
        self._program = program
        self._icount_shift = _ICOUNT_SHIFT if count_instructions else None
        self._version = ""

    @property
    def description(self) -> str:
        counting = "" if self._icount_shift is None else " -icount"
        return f"QEMU {self._version}{counting}, {self._machine}".replace(" ,", ",")

    @property
    def instruction_ns(self) -> int:
        return 0 if self._icount_shift is None else 1 << self._icount_shift

    def _connect(self, deadline: float) -> tuple[Line, Peer]:
        program = shutil.which(self._program)
        if program is None:
            raise TargetError(
                f"{self._program} is not on the PATH",
                "install QEMU for Arm system emulation (Debian: qemu-system-arm); "
                "`mcubnn setup` checks all tools",
            )
        if not self._image.is_file():
            raise TargetError(f"image {self._image} does not exist", "build it: mcubnn build")
        self._version = _version(program, self._deadlines.open_s)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            child = self._child = Child(self._command(program, port), piped=False)
            self._line = SocketLine(self._accept(server, child, deadline))
        hint = (
            f"the image may be built for another machine than {self._machine}, "
            "or hang before it serves requests: build it again"
        )
        return self._line, self._peer(child, self.description, hint)

    def _command(self, program: str, port: int) -> list[str]:
        counting = () if self._icount_shift is None else ("-icount", f"shift={self._icount_shift}")
        uart = f"tcp:127.0.0.1:{port},nodelay=on"
        return [
            *(program, "-M", self._machine, "-nographic", "-monitor", "none", "-serial", uart),
            *("-kernel", str(self._image.resolve()), *counting),
        ]

    def _accept(self, server: socket.socket, child: Child, deadline: float) -> socket.socket:
        server.settimeout(_ACCEPT_POLL_S)
        while child.is_running and time.monotonic() < deadline:
            try:
                return server.accept()[0]
            except TimeoutError:
                continue
        raise TargetError(
            f"{self.description} did not start within {self._deadlines.open_s:.3g} s: "
            f"{child.state()}",
            "check the board's qemu_machine and the image; `mcubnn setup` checks QEMU itself",
        )


def _version(program: str, timeout_s: float) -> str:
    """Version number of QEMU; empty if it does not say."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version (\d+(?:\.\d+)*)", done.stdout)
    return found.group(1) if found else ""
