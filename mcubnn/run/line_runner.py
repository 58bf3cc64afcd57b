"""The runner of anything that can be reached over a line."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from mcubnn.run.exchange import Exchange, Peer
from mcubnn.run.line import Line
from mcubnn.run.protocol import Hello, NodeTicks, Reply
from mcubnn.run.runner import Deadlines


class LineRunner(ABC):
    """A Runner whose subclasses only say how to connect and to disconnect."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._exchange: Exchange | None = None

    @property
    @abstractmethod
    def description(self) -> str:
        """Where the image runs."""

    @abstractmethod
    def _connect(self, deadline: float) -> tuple[Line, Peer]:
        """Start the device or open its port."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Undo `_connect`, however far it came."""

    @property
    def retries(self) -> int:
        return self._connected.retries

    def __enter__(self) -> Self:
        try:
            line, peer = self._connect(time.monotonic() + self._deadlines.open_s)
        except BaseException:
            self._disconnect()
            raise
        self._exchange = Exchange(line, peer, self._deadlines)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self._disconnect()

    def hello(self) -> Hello:
        return self._connected.hello()

    def infer(self, image: bytes) -> Reply:
        return self._connected.infer(image)

    def trace(self, node: int, image: bytes) -> bytes:
        return self._connected.trace(node, image)

    def profile(self, image: bytes) -> NodeTicks:
        return self._connected.profile(image)

    @property
    def instruction_ns(self) -> int:
        return 0

    @property
    def _connected(self) -> Exchange:
        assert self._exchange is not None, "a runner works inside its `with` block only"
        return self._exchange
