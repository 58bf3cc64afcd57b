"""The runner of a device that is a process of this computer."""

from __future__ import annotations

from mcubnn.run.child import Child
from mcubnn.run.exchange import Peer
from mcubnn.run.line import Line
from mcubnn.run.line_runner import LineRunner
from mcubnn.run.runner import Deadlines

_SETTLE_S = 1.0


class ChildRunner(LineRunner):
    """A LineRunner whose subclasses only start the process and connect the line to it."""

    def __init__(self, deadlines: Deadlines | None) -> None:
        super().__init__(deadlines or Deadlines())
        self._child: Child | None = None
        self._line: Line | None = None

    def _peer(self, child: Child, name: str, silent_hint: str) -> Peer:
        """The process as messages name it; it gets a moment to say why it dies."""
        return Peer(name, details=lambda: child.state(_SETTLE_S), silent_hint=silent_hint)

    def _disconnect(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._child is not None:
            self._child.stop(self._deadlines.stop_s)
        self._line = self._child = None
