"""The C side of the protocol, as a process with sanitizers around the dummy model."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcubnn.codegen.lower import ABI_VERSION
from mcubnn.run.protocol import (
    FILLER,
    PROTOCOL_VERSION,
    SYNC,
    ErrorCode,
    Frame,
    FrameParser,
    FrameType,
    NodeTicks,
    decode_error,
    decode_hello,
    decode_node_ticks,
    decode_result,
    encode_frame,
    encode_trace,
)

ROOT = Path(__file__).parents[3]
WARNINGS = (
    "-std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual "
    "-Wmissing-prototypes -Wstrict-prototypes -Wundef -Wdouble-promotion -Wvla -Werror"
)
IMAGE = bytes(range(48))
LONGEST_FRAME_BYTES = 13 + 2 + len(IMAGE)
HELLO = encode_frame(Frame(FrameType.HELLO, 7, b""))
RUN = encode_frame(Frame(FrameType.RUN, 8, IMAGE))


def exchange(firmware: Path, line: bytes) -> list[Frame]:
    """What the firmware answers to bytes and the end of input."""
    done = subprocess.run([firmware], input=line, capture_output=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    parser = FrameParser()
    frames = parser.feed(done.stdout)
    assert parser.skipped_bytes == 0
    assert parser.pending == b""
    return frames


def test_hello_describes_the_model(host_firmware: Path) -> None:
    (reply,) = exchange(host_firmware, HELLO)
    assert (reply.kind, reply.sequence) == (FrameType.HELLO_REPLY, 7)
    hello = decode_hello(reply.payload)
    assert (hello.protocol_version, hello.abi_version, hello.model_hash) == (
        PROTOCOL_VERSION,
        ABI_VERSION,
        0x1234ABCD,
    )
    assert (hello.input_shape, hello.input_type.value) == ((4, 4, 3), "uint8")
    assert (hello.output_count, hello.node_count) == (3, 2)
    assert (hello.model_name, hello.board_name) == ("dummy", "test-board")


def test_run_returns_the_scores(host_firmware: Path) -> None:
    (reply,) = exchange(host_firmware, RUN)
    assert (reply.kind, reply.sequence) == (FrameType.RESULT, 8)
    assert decode_result(reply.payload).scores.tolist() == [sum(IMAGE) + 48, -1, 48 << 16]


def test_trace_returns_each_node(host_firmware: Path) -> None:
    frames = [Frame(FrameType.TRACE, n, encode_trace(n, IMAGE)) for n in (0, 1)]
    first, second = exchange(host_firmware, b"".join(map(encode_frame, frames)))
    assert first == Frame(FrameType.TENSOR, 0, bytes(b + 1 for b in IMAGE))
    assert np.frombuffer(second.payload, "<i4").tolist() == [sum(IMAGE) + 48, -1, 48 << 16]


def test_profile_times_every_node_and_leaves_the_scores(host_firmware: Path) -> None:
    profile = encode_frame(Frame(FrameType.PROFILE, 9, IMAGE))
    ticks, result = exchange(host_firmware, profile + RUN)
    assert (ticks.kind, ticks.sequence) == (FrameType.TICKS, 9)
    assert decode_node_ticks(ticks.payload) == NodeTicks(0, 0, (0, 0))  # the host has no counter
    assert decode_result(result.payload).scores.tolist() == [sum(IMAGE) + 48, -1, 48 << 16]


@pytest.mark.parametrize(
    ("request_frame", "code", "detail"),
    [
        (Frame(9, 5, b""), ErrorCode.TYPE, 9),
        (Frame(FrameType.RUN, 5, b""), ErrorCode.LENGTH, 48),
        (Frame(FrameType.RUN, 5, bytes(49)), ErrorCode.LENGTH, 48),
        (Frame(FrameType.TRACE, 5, IMAGE), ErrorCode.LENGTH, 50),
        (Frame(FrameType.HELLO, 5, b"x"), ErrorCode.LENGTH, 0),
        (Frame(FrameType.TRACE, 5, encode_trace(2, IMAGE)), ErrorCode.NODE, 2),
        (Frame(FrameType.TRACE, 5, encode_trace(0xFFFF, IMAGE)), ErrorCode.NODE, 2),
        (Frame(FrameType.PROFILE, 5, bytes(50)), ErrorCode.LENGTH, 48),
        (Frame(FrameType.RUN, 5, b"\xff" * 48), ErrorCode.KERNEL, -2),
        (Frame(FrameType.PROFILE, 5, b"\xff" * 48), ErrorCode.KERNEL, -2),
        (Frame(FrameType.TRACE, 5, encode_trace(1, b"\xff" * 48)), ErrorCode.KERNEL, -2),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_and_the_next_one_is_served(
    host_firmware: Path, request_frame: Frame, code: ErrorCode, detail: int
) -> None:
    refusal, hello = exchange(host_firmware, encode_frame(request_frame) + HELLO)
    assert (refusal.kind, refusal.sequence) == (FrameType.ERROR, 5)
    error = decode_error(refusal.payload)
    assert (error.code, error.detail) == (code, detail)
    assert hello.kind == FrameType.HELLO_REPLY


def test_a_huge_length_is_refused_at_once(host_firmware: Path) -> None:
    lie = SYNC + struct.pack("<BHI", FrameType.RUN, 3, 0xFFFFFFFF)
    refusal, hello = exchange(host_firmware, lie + HELLO)
    assert decode_error(refusal.payload).code == ErrorCode.LENGTH
    assert hello.kind == FrameType.HELLO_REPLY


def test_a_wrong_crc_is_reported_and_the_next_frame_is_served(host_firmware: Path) -> None:
    damaged = bytearray(RUN)
    damaged[20] ^= 1
    refusal, result = exchange(host_firmware, bytes(damaged) + RUN)
    assert decode_error(refusal.payload).code == ErrorCode.CRC
    assert result.kind == FrameType.RESULT


def test_garbage_is_skipped_silently(host_firmware: Path) -> None:
    replies = exchange(host_firmware, b"AT+GMR\r\n" + bytes(100) + SYNC[:1] + HELLO)
    assert [r.kind for r in replies] == [FrameType.HELLO_REPLY]


def test_a_frame_inside_a_refused_header_is_found(host_firmware: Path) -> None:
    replies = exchange(host_firmware, SYNC + b"\x02" + HELLO)
    assert [r.kind for r in replies] == [FrameType.ERROR, FrameType.HELLO_REPLY]


@pytest.mark.parametrize("kept_bytes", range(1, len(RUN)))
def test_filler_ends_a_frame_whose_host_died(host_firmware: Path, kept_bytes: int) -> None:
    line = RUN[:kept_bytes] + FILLER * LONGEST_FRAME_BYTES + HELLO
    assert exchange(host_firmware, line)[-1].kind == FrameType.HELLO_REPLY


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([SYNC, RUN, HELLO, RUN[:9], SYNC + b"\x03", RUN[:30]]),
        ),
        max_size=12,
    )
)
def test_no_input_stops_the_device(host_firmware: Path, parts: list[bytes]) -> None:
    line = b"".join(parts) + FILLER * LONGEST_FRAME_BYTES + HELLO
    last = exchange(host_firmware, line)[-1]
    assert (last.kind, last.sequence) == (FrameType.HELLO_REPLY, 7)


@pytest.mark.parametrize(
    "compiler",
    [
        "gcc",
        "clang",
        *(
            f"arm-none-eabi-gcc -mthumb -mcpu=cortex-{c}"
            for c in ("m0plus", "m3", "m4", "m7", "m33")
        ),
    ],
)
def test_firmware_compiles_without_a_warning(compiler: str) -> None:
    command = compiler.split()
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    runtime = ROOT / "runtime_c"
    folders = [runtime / "include", runtime / "port", runtime / "firmware"]
    folders.append(Path(__file__).parent / "dummy_firmware")
    sources = [str(s) for s in (runtime / "firmware").glob("*.c")]
    done = subprocess.run(
        [*command, *WARNINGS.split(), *(f"-I{f}" for f in folders), "-fsyntax-only", *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
