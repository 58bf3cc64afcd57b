"""Requests, repetition and messages, against fake devices behind a TCP server."""

from __future__ import annotations

import dataclasses
import random
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcubnn.errors import TargetError
from mcubnn.ir.types import DType
from mcubnn.run.exchange import Exchange, Peer
from mcubnn.run.line import Line, PipeLine
from mcubnn.run.protocol import Frame, FrameParser, FrameType, encode_frame
from mcubnn.run.runner import Deadlines
from mcubnn.run.serial_board import SerialRunner
from mcubnn.run.session import stream
from tests.unit.run.conftest import Behaviour, FakeModel, Reader, Writer

Start = Callable[[Behaviour], str]
IMAGES = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)
HASH = 0xC0FFEE


def failure(start: Start, behaviour: Behaviour, deadlines: Deadlines) -> TargetError:
    """The error of streaming the images through a device that behaves like this."""
    with (
        pytest.raises(TargetError) as caught,
        SerialRunner(start(behaviour), 115200, deadlines) as runner,
    ):
        stream(runner, IMAGES, HASH)
    assert caught.value.exit_code == 6
    assert caught.value.hint
    assert len(caught.value.message.splitlines()) < 20
    return caught.value


def error_frame(sequence: int, code: int, detail: int = 0) -> bytes:
    return encode_frame(Frame(FrameType.ERROR, sequence, struct.pack("<Hi", code, detail)))


def answering(model: FakeModel, change: Callable[[Frame, int], bytes | None]) -> Behaviour:
    """A device that answers; `change` may replace the answer to its n-th request."""

    def serve(read: Reader, write: Writer) -> None:
        parser = FrameParser()
        while data := read():
            for request in parser.feed(data):
                reply = encode_frame(model.answer(request))
                changed = change(request, len(model.requests))
                write(reply if changed is None else changed)

    return serve


def test_stream_returns_scores_in_order(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    seen: list[tuple[int, int]] = []
    with SerialRunner(tcp_device(fake_model.serve), 115200, deadlines) as runner:
        result = stream(runner, IMAGES, HASH, lambda done, count: seen.append((done, count)))
        assert runner.trace(0, b"abcd") == b"abcd"
        assert runner.retries == 0
    assert result.scores.tolist() == [[6, -6], [22, -22], [38, -38]]
    assert result.classes.tolist() == [0, 0, 0]
    assert result.runner.startswith("socket://127.0.0.1")
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_silent_line_is_reported_with_its_deadlines(
    tcp_device: Start, deadlines: Deadlines
) -> None:
    def silent(read: Reader, write: Writer) -> None:
        del write
        while read():
            pass

    started = time.monotonic()
    error = failure(tcp_device, silent, deadlines)
    assert time.monotonic() - started < 2
    assert "does not answer HELLO" in error.message
    assert "waited: 0.1 + 0.2 s (2 attempts)" in error.message
    assert "arrived: nothing" in error.message
    assert "reset button" in error.hint


def test_garbage_is_shown_as_hex_and_text(tcp_device: Start, deadlines: Deadlines) -> None:
    def babble(read: Reader, write: Writer) -> None:
        while read():
            write(b"Zephyr boot v3\r\n")

    error = failure(tcp_device, babble, deadlines)
    assert "first 5a 65 70 68 79 72" in error.message
    assert "Zephyr boot v3.." in error.message
    assert "baud rate" in error.hint


def test_endless_garbage_ends_too(tcp_device: Start, deadlines: Deadlines) -> None:
    def flood(read: Reader, write: Writer) -> None:
        del read
        while True:
            write(b"\xb1\x4e" * 500)

    error = failure(tcp_device, flood, deadlines)
    assert "does not answer HELLO" in error.message


@pytest.mark.parametrize("noise", [b"\0" * 4096, b"\xb1\x4e" * 500, b"Hello from a bootloader\r\n"])
def test_a_device_that_never_stops_is_given_up_in_time(noise: bytes, tcp_device: Start) -> None:
    def flood(read: Reader, write: Writer) -> None:
        del read
        while True:
            write(noise)
            time.sleep(0.001)

    started = time.monotonic()
    error = failure(tcp_device, flood, Deadlines(hello_s=0.3, hello_attempts=4))
    assert "waited: 0.3 + 0.6 + 0.9 + 1.2 s" in error.message
    assert time.monotonic() - started < 4.5


def test_another_model_is_refused_with_both_hashes(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    fake_model.hello = dataclasses.replace(fake_model.hello, model_hash=0xBAD)
    error = failure(tcp_device, fake_model.serve, deadlines)
    assert "runs another model" in error.message
    assert "expected: hash 00c0ffee" in error.message
    assert "found:    hash 00000bad" in error.message
    assert "flash" in error.hint


@pytest.mark.parametrize(
    "change", [{"input_shape": (2, 2, 3)}, {"input_type": DType.INT8}], ids=["shape", "type"]
)
def test_an_input_that_differs_from_the_images_is_refused(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines, change: dict[str, object]
) -> None:
    fake_model.hello = dataclasses.replace(fake_model.hello, **change)  # type: ignore[arg-type]
    error = failure(tcp_device, fake_model.serve, deadlines)
    assert "input differs from the images" in error.message


@pytest.mark.parametrize(
    ("hello", "found"),
    [
        (b"\x09\x00new", "protocol version 9; this mcubnn speaks 2"),
        (b"\x02\x00new", "does not understand: hello of 5 bytes"),
    ],
    ids=["another version, whatever else it holds", "malformed"],
)
def test_a_hello_that_cannot_be_read_is_refused(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines, hello: bytes, found: str
) -> None:
    behaviour = answering(
        fake_model,
        lambda request, _: encode_frame(Frame(FrameType.HELLO_REPLY, request.sequence, hello)),
    )
    assert found in failure(tcp_device, behaviour, deadlines).message


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda request: error_frame(request.sequence, 3),
        lambda request: error_frame(request.sequence, 2, 4),
        lambda request: encode_frame(Frame(FrameType.RESULT, request.sequence, b"\0" * 12))[:-1],
        lambda request: encode_frame(Frame(FrameType.RESULT, request.sequence - 1, b"\0" * 12)),
        lambda _: b"\xb1\x4e\x82garbage",
    ],
    ids=["lost", "crc error", "length error", "cut reply", "late reply", "broken reply"],
)
def test_a_damaged_exchange_is_repeated_and_counted(
    tcp_device: Start,
    fake_model: FakeModel,
    deadlines: Deadlines,
    damage: Callable[[Frame], bytes],
) -> None:
    behaviour = answering(fake_model, lambda request, n: damage(request) if n == 3 else None)
    with SerialRunner(tcp_device(behaviour), 115200, deadlines) as runner:
        result = stream(runner, IMAGES, HASH)
        assert runner.retries == 1
    assert result.scores[:, 0].tolist() == [6, 22, 38]


def test_repetition_is_bounded(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    behaviour = answering(
        fake_model, lambda request, n: error_frame(request.sequence, 3) if n > 1 else None
    )
    error = failure(tcp_device, behaviour, deadlines)
    assert "does not answer RUN" in error.message
    assert "last problem: the device received a frame with a wrong CRC" in error.message
    assert fake_model.requests == [FrameType.HELLO, FrameType.RUN, FrameType.RUN]


def test_a_kernel_error_is_not_repeated(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    behaviour = answering(
        fake_model, lambda request, n: error_frame(request.sequence, 5, -2) if n > 1 else None
    )
    error = failure(tcp_device, behaviour, deadlines)
    assert "a kernel failed with status -2" in error.message
    assert fake_model.requests == [FrameType.HELLO, FrameType.RUN]


def test_a_device_that_leaves_is_reported(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    def leave_after_hello(read: Reader, write: Writer) -> None:
        (request,) = FrameParser().feed(read())
        write(encode_frame(fake_model.answer(request)))
        read()

    error = failure(tcp_device, leave_after_hello, deadlines)
    assert "was closed" in error.message


def test_too_few_scores_are_refused(
    tcp_device: Start, fake_model: FakeModel, deadlines: Deadlines
) -> None:
    fake_model.hello = dataclasses.replace(fake_model.hello, output_count=5)
    error = failure(tcp_device, fake_model.serve, deadlines)
    assert "2 scores arrived; its hello promised 5" in error.message


class NoisyLine:
    """Loses, changes or adds a byte in about every sixth write and read."""

    def __init__(self, line: Line, seed: int) -> None:
        self._line = line
        self._random = random.Random(seed)

    def _spoil(self, data: bytes) -> bytes:
        if not data or self._random.random() > 0.16:
            return data
        at = self._random.randrange(len(data))
        noise = bytes([self._random.randrange(256)])
        return (
            data[:at]
            + self._random.choice([b"", noise, noise + data[at : at + 1]])
            + data[at + 1 :]
        )

    def write(self, data: bytes, deadline: float) -> None:
        self._line.write(self._spoil(data), deadline)

    def read(self, deadline: float) -> bytes:
        return self._spoil(self._line.read(deadline))

    def close(self) -> None:
        self._line.close()


@pytest.mark.parametrize("seed", range(4))
def test_no_score_is_wrong_on_a_noisy_line(host_firmware: Path, seed: int) -> None:
    patient = Deadlines(hello_s=0.03, hello_attempts=9, reply_s=0.03, attempts=12, quiet_s=0.003)
    images = np.random.default_rng(seed).integers(0, 255, (40, 48), dtype=np.uint8)
    with subprocess.Popen(
        [host_firmware], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = NoisyLine(PipeLine(process.stdout.fileno(), process.stdin.fileno()), seed)
        exchange = Exchange(line, Peer("test", str, ""), patient)
        exchange.hello()
        for image in images:
            expected = int(image.astype(int).sum()) + 48
            assert exchange.infer(image.tobytes()).scores[0] == expected
        assert exchange.retries > 0
        line.close()
        process.stdin.close()


@pytest.mark.parametrize("kept_bytes", [1, 8, 30, 60])
def test_a_device_inside_a_dead_hosts_frame_gets_in_step(
    host_firmware: Path, deadlines: Deadlines, kept_bytes: int
) -> None:
    image = bytes(48)
    abandoned = encode_frame(Frame(FrameType.RUN, 9, image))[:kept_bytes]
    patient = dataclasses.replace(deadlines, hello_attempts=3)
    with subprocess.Popen(
        [host_firmware], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = PipeLine(process.stdout.fileno(), process.stdin.fileno())
        line.write(abandoned, time.monotonic() + 1)
        exchange = Exchange(line, Peer("test", str, ""), patient)
        assert exchange.hello().model_name == "dummy"
        assert exchange.infer(image).scores.tolist() == [48, -1, 1 << 16]
        line.close()
        process.stdin.close()
