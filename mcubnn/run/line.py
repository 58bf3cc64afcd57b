"""Byte lines to a device: sockets, pipes and serial ports, every wait with a deadline.

A deadline is a moment of `time.monotonic()`. Opening errors are TargetErrors that name the port;
a line that breaks later raises LineClosedError, which the runner turns into a TargetError because
it knows what stood at the other end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import time
from abc import ABC, abstractmethod
from typing import Protocol
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from mcubnn.errors import TargetError

_CHUNK_BYTES = 1 << 16
_MAX_EARLY_BYTES = 1 << 20
_POLL_S = 0.02


class LineClosedError(Exception):
    """The other end of a line has gone."""


class LineStuckError(Exception):
    """The other end did not take all bytes before the deadline."""


class Line(Protocol):
    """A two-way line of bytes."""

    def write(self, data: bytes, deadline: float) -> None:
        """Send all bytes.

        Raises:
            LineClosedError: the other end has gone.
            LineStuckError: it did not take them in time.
        """

    def read(self, deadline: float) -> bytes:
        """Wait for bytes and return what has arrived; nothing once the deadline has passed.

        Raises:
            LineClosedError: the other end has gone and everything it sent has been read.
        """

    def close(self) -> None:
        """Release the line."""


class _PolledLine(ABC):
    """A non-blocking pair of file objects.

    It goes on reading while it writes: a device that must get rid of a reply before it takes more
    input would otherwise wait for us while we wait for it.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._early = bytearray()
        self._ended = False
        self._readable = selectors.DefaultSelector()
        self._readable.register(read_fd, selectors.EVENT_READ)
        self._either = selectors.DefaultSelector()
        if read_fd == write_fd:
            self._either.register(read_fd, selectors.EVENT_READ | selectors.EVENT_WRITE)
        else:
            self._either.register(read_fd, selectors.EVENT_READ)
            self._either.register(write_fd, selectors.EVENT_WRITE)

    @abstractmethod
    def _receive(self) -> bytes:
        """Bytes that are there; nothing at the end."""

    @abstractmethod
    def _send(self, data: memoryview) -> int:
        """Hand over what fits."""

    def write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            events = self._either.select(max(0.0, deadline - time.monotonic()))
            mask = 0
            for _, ready in events:
                mask |= ready
            if mask & selectors.EVENT_READ:
                self._take()
            if self._ended:
                raise LineClosedError
            if len(self._early) > _MAX_EARLY_BYTES:
                message = "it sends without end"
                raise LineClosedError(message)
            if mask & selectors.EVENT_WRITE:
                view = view[self._try_send(view) :]
            elif time.monotonic() >= deadline:
                raise LineStuckError

    def read(self, deadline: float) -> bytes:
        idle = not self._early and not self._ended
        if idle and self._readable.select(max(0.0, deadline - time.monotonic())):
            self._take()
        data = bytes(self._early)
        self._early.clear()
        if self._ended and not data:
            raise LineClosedError
        return data

    def close(self) -> None:
        self._readable.close()
        self._either.close()

    def _take(self) -> None:
        try:
            data = self._receive()
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._early += data
        self._ended = not data

    def _try_send(self, view: memoryview) -> int:
        try:
            return self._send(view)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LineClosedError from error


class SocketLine(_PolledLine):
    """A line over a connected TCP socket, which it owns."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        # Without this a small frame waits for the acknowledgement of the previous one.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(connection.fileno(), connection.fileno())
        self._connection = connection

    def _receive(self) -> bytes:
        return self._connection.recv(_CHUNK_BYTES)

    def _send(self, data: memoryview) -> int:
        return self._connection.send(data)

    def close(self) -> None:
        super().close()
        self._connection.close()


class PipeLine(_PolledLine):
    """A line over two pipes, whose descriptors stay the caller's to close."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        super().__init__(read_fd, write_fd)
        self._read_fd = read_fd
        self._write_fd = write_fd

    def _receive(self) -> bytes:
        return os.read(self._read_fd, _CHUNK_BYTES)

    def _send(self, data: memoryview) -> int:
        return os.write(self._write_fd, data)


class SerialLine:
    """A line over an open pyserial port, which it owns."""

    def __init__(self, port: serial.SerialBase) -> None:
        self._port = port

    def write(self, data: bytes, deadline: float) -> None:
        try:
            self._port.write_timeout = max(_POLL_S, deadline - time.monotonic())
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LineStuckError from error
        except OSError as error:
            raise LineClosedError(str(error)) from error

    def read(self, deadline: float) -> bytes:
        try:
            while True:
                waiting_bytes = self._port.in_waiting
                if not waiting_bytes and time.monotonic() >= deadline:
                    return b""
                data = self._port.read(max(1, waiting_bytes))
                if data:
                    return bytes(data)
        except OSError as error:
            raise LineClosedError(str(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._port.close()


def list_ports_text() -> str:
    """The serial ports of this computer, one per line, or a sentence that there are none."""
    found = [f"  {p.device}  {p.description}" for p in sorted(list_ports.comports())]
    return "\n".join(["serial ports found:", *found]) if found else "no serial port found"


def open_line(port: str, baud: int, deadline: float) -> Line:
    """Open a serial device, `socket://host:port`, or any other URL that pyserial knows.

    Raises:
        TargetError: it is absent, busy, not permitted or not a serial port.
    """
    try:
        if port.startswith("socket://"):
            return SocketLine(_connect(port, deadline))
        return SerialLine(_open_serial(port, baud))
    except (OSError, ValueError) as error:
        raise _opening_error(port, error) from error


def _connect(url: str, deadline: float) -> socket.socket:
    address = urlsplit(url)
    if not address.hostname or not address.port:
        message = "expected socket://host:port"
        raise ValueError(message)
    timeout_s = max(_POLL_S, deadline - time.monotonic())
    return socket.create_connection((address.hostname, address.port), timeout_s)


def _open_serial(port: str, baud: int) -> serial.SerialBase:
    is_url = "://" in port
    options = {} if is_url or os.name != "posix" else {"exclusive": True}
    opened = serial.serial_for_url(port, baudrate=baud, timeout=_POLL_S, **options)
    opened.reset_input_buffer()
    return opened


def _opening_error(port: str, error: Exception) -> TargetError:
    """Say in the user's terms why a port cannot be opened."""
    number = getattr(error, "errno", None)
    if isinstance(error, ConnectionRefusedError):
        return TargetError(
            f"{port}: nothing listens there",
            "start the serial server or emulator, or check the number",
        )
    if isinstance(error, TimeoutError | socket.gaierror):
        return TargetError(f"{port}: cannot connect: {error}", "check host name, port and network")
    if number == errno.ENOENT:
        return TargetError(
            f"serial port {port} does not exist\n{list_ports_text()}",
            "plug the board in (with a data cable) or name another port with --port",
        )
    if number in {errno.EACCES, errno.EPERM}:
        return TargetError(
            f"serial port {port}: permission denied",
            "join the group that owns it (often: sudo usermod -aG dialout $USER) and log in again",
        )
    if number in {errno.EBUSY, errno.EAGAIN}:
        return TargetError(
            f"serial port {port} is busy: another program has it open",
            f"close serial monitors and IDEs; to find the program: fuser -v {port}",
        )
    return TargetError(f"cannot open port {port}: {error}", "name a serial port with --port")
