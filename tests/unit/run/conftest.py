"""Devices to test against: the real firmware around a dummy model, and fake ones that misbehave."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from mcubnn.ir.types import DType
from mcubnn.run.protocol import (
    PROTOCOL_VERSION,
    Frame,
    FrameParser,
    FrameType,
    Hello,
    encode_frame,
    encode_hello,
)
from mcubnn.run.runner import Deadlines

ROOT = Path(__file__).parents[3]
DUMMY = Path(__file__).parent / "dummy_firmware"
INCLUDES = [f"-I{ROOT / 'runtime_c' / part}" for part in ("include", "port", "firmware")]
SOURCES = [*sorted((ROOT / "runtime_c" / "firmware").glob("*.c")), DUMMY / "dummy_model.c"]

Reader = Callable[[], bytes]
Writer = Callable[[bytes], object]
Behaviour = Callable[[Reader, Writer], None]


def _compile(compiler: list[str], extra: list[str], output: Path) -> Path:
    sources = [str(s) for s in SOURCES]
    command = [*compiler, "-std=c11", *INCLUDES, f"-I{DUMMY}", *extra, *sources, "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def host_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware around the dummy model as a process, with sanitizers."""
    sanitize = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    posix = str(ROOT / "runtime_c/port/posix/posix.c")
    return _compile(["gcc"], [*sanitize, posix], tmp_path_factory.mktemp("host") / "dummy")


@pytest.fixture(scope="session")
def mps2_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for QEMU's mps2-an385."""
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None:
        pytest.skip("needs arm-none-eabi-gcc and qemu-system-arm")
    port = ROOT / "runtime_c" / "port"
    extra = [
        *("-O2", "-mthumb", "-mcpu=cortex-m3", "-nostartfiles", "--specs=nano.specs"),
        *("-DMCUBNN_CORE_CLOCK_HZ=25000000", "-DMCUBNN_PORT_BAUD=115200"),
        *(f"-I{port / 'mps2'}", "-T", str(DUMMY / "mps2.ld")),
        *(str(port / "mps2/mps2.c"), str(port / "cortex_m/startup.c")),
    ]
    return _compile(["arm-none-eabi-gcc"], extra, tmp_path_factory.mktemp("mps2") / "dummy.elf")


@pytest.fixture
def deadlines() -> Deadlines:
    """Short ones; a test that waits for one of them takes well under a second."""
    return Deadlines(
        open_s=2.0,
        hello_s=0.1,
        hello_attempts=2,
        reply_s=0.2,
        attempts=2,
        quiet_s=0.01,
        stop_s=1.0,
    )


@pytest.fixture
def executable(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a Python script that can be started like a program."""

    def write(body: str) -> Path:
        path = tmp_path / "program"
        path.write_text(f"#!{sys.executable}\nimport os, socket, sys, time\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


@dataclass
class FakeModel:
    """A well-behaved device in Python: two scores, the sum of the pixels and its negative."""

    hello: Hello = field(
        default_factory=lambda: Hello(
            PROTOCOL_VERSION, 1, 0xC0FFEE, DType.UINT8, (2, 2, 1), 2, 1, "m", "b"
        )
    )
    requests: list[int] = field(default_factory=list)

    def answer(self, request: Frame) -> Frame:
        """The reply to one request."""
        self.requests.append(request.kind)
        if request.kind == FrameType.HELLO:
            return Frame(FrameType.HELLO_REPLY, request.sequence, encode_hello(self.hello))
        if request.kind == FrameType.TRACE:
            return Frame(FrameType.TENSOR, request.sequence, request.payload[2:])
        if request.kind == FrameType.PROFILE:
            ticks = np.array([48_000_000, 10, *[100] * self.hello.node_count], "<u4")
            return Frame(FrameType.TICKS, request.sequence, ticks.tobytes())
        total = sum(request.payload)
        payload = b"\0\0\0\0" + np.array([total, -total], "<i4").tobytes()
        return Frame(FrameType.RESULT, request.sequence, payload)

    def serve(self, read: Reader, write: Writer) -> None:
        """Answer until the line closes."""
        parser = FrameParser()
        while data := read():
            for frame in parser.feed(data):
                write(encode_frame(self.answer(frame)))


@pytest.fixture
def fake_model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def tcp_device() -> Iterator[Callable[[Behaviour], str]]:
    """Starts a device behind a TCP server; returns its URL."""
    threads: list[threading.Thread] = []
    servers: list[socket.socket] = []

    def start(behaviour: Behaviour) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(5.0)
        servers.append(server)

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.settimeout(5.0)
                try:
                    behaviour(lambda: connection.recv(4096), connection.sendall)
                except ConnectionError:
                    return  # the host left

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"socket://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()


@pytest.fixture
def pty_device() -> Iterator[Callable[[Behaviour], str]]:
    """Starts a device behind a pseudo-terminal; returns the path of its serial port."""
    opened: list[tuple[int, threading.Thread]] = []

    def start(behaviour: Behaviour) -> str:
        ours, theirs = os.openpty()
        tty.setraw(theirs)

        def read() -> bytes:
            try:
                return os.read(ours, 4096)
            except OSError:  # nobody holds the other side
                return b""

        def serve() -> None:
            try:
                behaviour(read, lambda data: os.write(ours, data))
            finally:
                os.close(ours)

        thread = threading.Thread(target=serve)
        thread.start()
        opened.append((theirs, thread))
        return os.ttyname(theirs)

    yield start
    for theirs, thread in opened:
        os.close(theirs)
        thread.join()
