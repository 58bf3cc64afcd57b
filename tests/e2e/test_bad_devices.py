"""Emulators that die and serial lines that are silent, garbled, busy or absent: exit code 6."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import threading
from pathlib import Path

import pytest

from mcubnn.pipeline import CompileOptions, build_graph, compile_model
from mcubnn.run import qemu, serial_board
from mcubnn.run.runner import Deadlines
from tests.e2e.command_line import Command, write_data, write_model

_SHORT = Deadlines(open_s=1.0, hello_s=0.1, hello_attempts=2, reply_s=0.3, attempts=2, stop_s=0.2)


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (qemu, serial_board):
        monkeypatch.setattr(module, "Deadlines", lambda: _SHORT)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build for an emulated board; opening it again finds everything up to date."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    folder = tmp_path_factory.mktemp("devices")
    saved = compile_model(write_model(folder / "small.onnx"), CompileOptions())
    return build_graph(saved, "qemu-mps2-an385", folder / "made").folder.path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data.npz")


def _serve(answer: bytes, *, stay: bool) -> tuple[str, threading.Thread]:
    """A line that sends the given bytes for whatever it gets, and closes or stays open."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)

    def talk() -> None:
        with server, server.accept()[0] as line:
            line.settimeout(5)
            try:
                line.sendall(answer)
                while stay and line.recv(4096):
                    line.sendall(answer)
            except OSError:
                return

    thread = threading.Thread(target=talk)
    thread.start()
    return f"socket://127.0.0.1:{server.getsockname()[1]}", thread


@pytest.mark.target
@pytest.mark.parametrize("command", ["run", "validate", "stream"])
@pytest.mark.parametrize(
    ("answer", "stay"),
    [(b"", True), (b"", False), (b"U-Boot 2019.04\r\n=> ", True), (bytes(range(256)) * 64, True)],
    ids=["silent", "closed", "another_program", "garbage"],
)
def test_line_that_speaks_no_protocol_is_reported(
    command: str, answer: bytes, stay: bool, mcubnn: Command, built: Path, data: Path
) -> None:
    port, thread = _serve(answer, stay=stay)
    outcome = mcubnn(command, built, "--data", data, "--port", port)
    thread.join()
    outcome.assert_reported(6, port.removeprefix("socket://"))


@pytest.mark.target
def test_absent_port_is_reported(mcubnn: Command, built: Path, data: Path) -> None:
    outcome = mcubnn("stream", built, "--data", data, "--port", "/dev/ttyNOPE")
    outcome.assert_reported(6, "/dev/ttyNOPE")
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    mcubnn("run", built, "--data", data, "--port", f"socket://127.0.0.1:{free}").assert_reported(
        6, str(free)
    )


@pytest.mark.target
def test_busy_port_is_reported(mcubnn: Command, built: Path, data: Path) -> None:
    ours, theirs = os.openpty()
    try:
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
        outcome = mcubnn("stream", built, "--data", data, "--port", os.ttyname(theirs))
    finally:
        os.close(theirs)
        os.close(ours)
    outcome.assert_reported(6, r"in use|busy|another program")


@pytest.mark.target
@pytest.mark.parametrize(
    ("body", "patterns"),
    [
        ("echo Segmentation fault >&2\nexit 139", ("did not start", "Segmentation fault")),
        ("kill -9 $$", ("did not start", "SIGKILL")),
        ("sleep 30", ("did not start within",)),
    ],
    ids=["fails", "killed", "hangs"],
)
def test_emulator_that_dies_is_reported(
    body: str, patterns: tuple[str, ...], mcubnn: Command, built: Path, data: Path
) -> None:
    fake = data.with_name("qemu-system-arm")
    version = '[ "$1" = --version ] && echo QEMU emulator version 9.9.9 && exit'
    fake.write_text(f"#!/bin/sh\n{version}\n{body}\n")
    fake.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
        outcome = mcubnn("run", built, "--data", data)
    outcome.assert_reported(6, "QEMU 9.9.9", *patterns)


@pytest.mark.target
def test_missing_emulator_says_how_to_get_it(
    mcubnn: Command, built: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if "qemu" in name else which(name))
    outcome = mcubnn("run", built, "--data", data)
    outcome.assert_reported(6, "qemu-system-arm is not on the PATH", "mcubnn setup")
