"""Runs the image that is flashed on a board, over its serial port."""

from __future__ import annotations

from serial.tools import list_ports

from mcubnn.errors import TargetError
from mcubnn.run.exchange import Peer
from mcubnn.run.line import Line, list_ports_text, open_line
from mcubnn.run.line_runner import LineRunner
from mcubnn.run.runner import Deadlines


class SerialRunner(LineRunner):
    """A board on a serial device, or a device behind `socket://host:port` or `rfc2217://`."""

    def __init__(self, port: str, baud: int, deadlines: Deadlines | None = None) -> None:
        super().__init__(deadlines or Deadlines())
        self._port = port
        self._baud = 0 if port.startswith("socket://") else baud
        self._open_baud = baud
        self._line: Line | None = None

    @property
    def description(self) -> str:
        return f"{self._port} at {self._baud} baud" if self._baud else self._port

    def _connect(self, deadline: float) -> tuple[Line, Peer]:
        self._line = open_line(self._port, self._open_baud, deadline)
        peer = Peer(
            name=self.description,
            details=lambda: "",
            silent_hint="check that the board is powered and flashed with this model's firmware, "
            "that this is its port and baud rate, and press its reset button",
            baud=self._baud,
        )
        return self._line, peer

    def _disconnect(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


def find_port() -> str:
    """The one serial port of this computer that belongs to a USB device.

    Raises:
        TargetError: there is none, or more than one.
    """
    found = [p.device for p in list_ports.comports() if p.vid is not None]
    if len(found) == 1:
        return found[0]
    problem = "no USB serial port found" if not found else "more than one board is connected"
    raise TargetError(
        f"cannot choose a serial port: {problem}\n{list_ports_text()}",
        "plug the board in (with a data cable), or name its port with --port",
    )
