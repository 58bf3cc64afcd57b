"""Serial ports: pseudo-terminals, and every way in which opening one fails."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import serial

from mcubnn.errors import TargetError
from mcubnn.run import serial_board
from mcubnn.run.runner import Deadlines
from mcubnn.run.serial_board import SerialRunner, find_port
from mcubnn.run.session import stream
from tests.unit.run.conftest import Behaviour, FakeModel, Reader, Writer

Start = Callable[[Behaviour], str]
IMAGES = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)


def opening_failure(port: str, deadlines: Deadlines) -> TargetError:
    with pytest.raises(TargetError) as caught, SerialRunner(port, 115200, deadlines):
        pass
    assert caught.value.exit_code == 6
    assert caught.value.hint
    return caught.value


def test_stream_over_a_serial_device(
    pty_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    port = pty_device(fake_model.serve)
    with SerialRunner(port, 115200, deadlines) as runner:
        assert stream(runner, IMAGES, 0xC0FFEE).scores[:, 0].tolist() == [6, 22, 38]
        assert runner.description == f"{port} at 115200 baud"


def test_a_silent_serial_device_is_reported_with_port_and_baud(
    pty_device: Start, deadlines: Deadlines
) -> None:
    def silent(read: Reader, write: Writer) -> None:
        del write
        while read():
            pass

    port = pty_device(silent)
    with SerialRunner(port, 115200, deadlines) as runner, pytest.raises(TargetError) as caught:
        runner.hello()
    assert f"{port} at 115200 baud does not answer HELLO" in caught.value.message
    assert "arrived: nothing" in caught.value.message


def test_a_serial_device_that_goes_away_is_reported(
    fake_model: FakeModel, deadlines: Deadlines
) -> None:
    del fake_model
    ours, theirs = os.openpty()
    with SerialRunner(os.ttyname(theirs), 115200, deadlines) as runner:
        os.close(ours)
        os.close(theirs)
        with pytest.raises(TargetError, match="was closed"):
            runner.hello()


def test_an_absent_port_is_reported_with_the_ports_there_are(
    deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = SimpleNamespace(device="/dev/ttyACM7", description="STM32 STLink", vid=1)
    monkeypatch.setattr("mcubnn.run.line.list_ports", SimpleNamespace(comports=list))
    assert "no serial port found" in opening_failure("/dev/ttyNONE", deadlines).message
    found = SimpleNamespace(comports=lambda: [port])
    monkeypatch.setattr("mcubnn.run.line.list_ports", found)
    error = opening_failure("/dev/ttyNONE", deadlines)
    assert "serial port /dev/ttyNONE does not exist" in error.message
    assert "/dev/ttyACM7  STM32 STLink" in error.message


def test_a_busy_port_is_reported(deadlines: Deadlines) -> None:
    ours, theirs = os.openpty()
    port = os.ttyname(theirs)
    try:
        with serial.Serial(port, exclusive=True):
            error = opening_failure(port, deadlines)
    finally:
        os.close(ours)
        os.close(theirs)
    assert f"serial port {port} is busy" in error.message
    assert "fuser" in error.hint


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.EACCES, "permission denied", "dialout"),
        (errno.EIO, "cannot open port", "--port"),
    ],
)
def test_an_opening_error_is_explained(
    deadlines: Deadlines,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    message: str,
    hint: str,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr("serial.serial_for_url", refuse)
    error = opening_failure("/dev/ttyACM0", deadlines)
    assert message in error.message
    assert hint in error.hint


def test_a_file_is_no_serial_port(deadlines: Deadlines) -> None:
    assert "cannot open port /dev/null" in opening_failure("/dev/null", deadlines).message


@pytest.mark.parametrize(
    "url", ["socket://nohost", "socket://:1", "socket://h:99999", "nonsense://x"]
)
def test_a_malformed_url_is_reported(deadlines: Deadlines, url: str) -> None:
    assert f"cannot open port {url}" in opening_failure(url, deadlines).message


def test_a_refused_connection_is_reported(deadlines: Deadlines) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    error = opening_failure(f"socket://127.0.0.1:{number}", deadlines)
    assert "nothing listens there" in error.message


def test_the_only_usb_port_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = SimpleNamespace(device="/dev/ttyACM0", description="board", vid=0x0483)
    builtin = SimpleNamespace(device="/dev/ttyS0", description="n/a", vid=None)
    fake = SimpleNamespace(comports=lambda: [builtin, usb])
    monkeypatch.setattr(serial_board, "list_ports", fake)
    assert find_port() == "/dev/ttyACM0"


@pytest.mark.parametrize("count", [0, 2])
def test_no_port_is_guessed(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    usb = SimpleNamespace(device="/dev/ttyACM0", description="board", vid=0x0483)
    monkeypatch.setattr(serial_board, "list_ports", SimpleNamespace(comports=lambda: [usb] * count))
    with pytest.raises(TargetError, match="cannot choose a serial port"):
        find_port()
