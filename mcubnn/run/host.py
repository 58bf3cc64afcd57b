"""Runs the generated library as a process of this computer, over its stdin and stdout."""

from __future__ import annotations

from pathlib import Path

from mcubnn.errors import TargetError
from mcubnn.run.child import Child
from mcubnn.run.exchange import Peer
from mcubnn.run.line import Line, PipeLine
from mcubnn.run.line_runner import LineRunner
from mcubnn.run.runner import Deadlines

_SETTLE_S = 1.0


class HostRunner(LineRunner):
    """The host executable, normally built with sanitizers, whose reports reach the messages."""

    def __init__(self, executable: Path, deadlines: Deadlines | None = None) -> None:
        super().__init__(deadlines or Deadlines())
        self._executable = executable
        self._child: Child | None = None
        self._line: Line | None = None

    @property
    def description(self) -> str:
        return "host"

    def _connect(self, deadline: float) -> tuple[Line, Peer]:
        del deadline  # starting a process does not wait
        if not self._executable.is_file():
            raise TargetError(
                f"host executable {self._executable} does not exist", "build it: mcubnn build"
            )
        child = self._child = Child([str(self._executable.resolve())], piped=True)
        stdout, stdin = child.pipes()
        self._line = PipeLine(stdout.fileno(), stdin.fileno())
        peer = Peer(
            name=f"host executable {self._executable.name}",
            details=lambda: child.state(_SETTLE_S),
            silent_hint=f"run it under a debugger: {self._executable}",
        )
        return self._line, peer

    def _disconnect(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._child is not None:
            self._child.stop(self._deadlines.stop_s)
        self._line = self._child = None
