"""Runs the generated library as a process of this computer, over its stdin and stdout."""

from __future__ import annotations

from pathlib import Path

from mcubnn.errors import TargetError
from mcubnn.run.child import Child
from mcubnn.run.child_runner import ChildRunner
from mcubnn.run.exchange import Peer
from mcubnn.run.line import Line, PipeLine
from mcubnn.run.runner import Deadlines


class HostRunner(ChildRunner):
    """The host executable, normally built with sanitizers, whose reports reach the messages."""

    def __init__(self, executable: Path, deadlines: Deadlines | None = None) -> None:
        super().__init__(deadlines)
        self._executable = executable

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
        hint = f"run it under a debugger: {self._executable}"
        return self._line, self._peer(child, f"host executable {self._executable.name}", hint)
