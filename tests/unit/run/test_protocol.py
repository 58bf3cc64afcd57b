from __future__ import annotations

import dataclasses
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.ir.types import DType
from mcubnn.run import protocol
from mcubnn.run.protocol import (
    PROTOCOL_VERSION,
    SYNC,
    DeviceError,
    ErrorCode,
    Frame,
    FrameParser,
    FrameType,
    Hello,
    PayloadError,
    encode_frame,
)

FRAMES = st.builds(Frame, st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=40))
# Sync bytes are rare in random bytes; garbage with many of them finds more mistakes.
GARBAGE = st.lists(
    st.one_of(st.binary(max_size=12), st.just(SYNC), st.just(SYNC[:1])), max_size=8
).map(b"".join)
HELLO = Hello(
    PROTOCOL_VERSION, 7, 0xDEADBEEF, DType.INT8, (32, 31, 3), 10, 12, "net", "nucleo-f746"
)


def test_frame_has_the_documented_bytes() -> None:
    expected = "b14e 02 3412 03000000 0a0b0c 6815017c"
    assert encode_frame(Frame(2, 0x1234, b"\n\x0b\x0c")) == bytes.fromhex(expected)


@settings(deadline=None)
@given(st.lists(FRAMES, max_size=5), st.integers(1, 30))
def test_parser_returns_what_was_encoded_however_it_is_cut(frames: list[Frame], cut: int) -> None:
    line = b"".join(encode_frame(f) for f in frames)
    parser = FrameParser()
    found = [f for i in range(0, len(line), cut) for f in parser.feed(line[i : i + cut])]
    assert found == frames
    assert parser.skipped_bytes == 0
    assert parser.pending == b""


@settings(deadline=None)
@given(GARBAGE, FRAMES)
def test_parser_finds_a_frame_after_any_garbage(garbage: bytes, frame: Frame) -> None:
    parser = FrameParser(max_payload_bytes=100)
    found = parser.feed(garbage + encode_frame(frame))
    found += parser.give_up()
    assert found[-1] == frame
    assert parser.skipped_bytes == len(garbage)


@settings(deadline=None)
@given(FRAMES, st.data())
def test_parser_refuses_a_damaged_frame_and_finds_the_next(
    frame: Frame, data: st.DataObject
) -> None:
    damaged = bytearray(encode_frame(frame))
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[bit // 8] ^= 1 << (bit % 8)
    following = Frame(1, 77, b"next")
    parser = FrameParser(max_payload_bytes=100)
    found = parser.feed(bytes(damaged) + encode_frame(following))
    found += parser.give_up()
    assert found == [following]


@settings(deadline=None)
@given(FRAMES, st.data())
def test_parser_finds_the_frame_after_a_truncated_one(frame: Frame, data: st.DataObject) -> None:
    whole = encode_frame(frame)
    kept = data.draw(st.integers(0, len(whole) - 1))
    parser = FrameParser(max_payload_bytes=100)
    found = parser.feed(whole[:kept] + whole)
    found += parser.give_up()
    assert frame in found


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_decoders_raise_nothing_but_payload_error(payload: bytes) -> None:
    decoders = (
        protocol.decode_hello,
        protocol.decode_result,
        protocol.decode_error,
        protocol.read_hello_version,
    )
    for decode in decoders:
        try:
            decode(payload)
        except PayloadError:
            continue


def test_parser_does_not_wait_for_an_impossible_length() -> None:
    parser = FrameParser(max_payload_bytes=100)
    lie = encode_frame(Frame(2, 0, bytes(101)))[:20]
    good = Frame(1, 5, b"")
    assert parser.feed(lie + encode_frame(good)) == [good]
    assert parser.broken_frames == 1


def test_parser_keeps_the_first_garbage_for_messages() -> None:
    parser = FrameParser()
    parser.feed(b"Hello from another firmware, at length\r\n" * 3)
    assert parser.garbage == b"Hello from another firmware, at "
    assert parser.skipped_bytes == 120


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8])
def test_hello_round_trip(dtype: DType) -> None:
    hello = dataclasses.replace(HELLO, input_type=dtype)
    assert protocol.decode_hello(protocol.encode_hello(hello)) == hello
    assert hello.input_bytes == 32 * 31 * 3


def test_hello_with_unknown_input_type_is_refused() -> None:
    payload = bytearray(protocol.encode_hello(HELLO))
    payload[8] = 9
    with pytest.raises(PayloadError, match="input type 9"):
        protocol.decode_hello(bytes(payload))


def test_result_carries_signed_scores_and_ticks() -> None:
    reply = protocol.decode_result(bytes.fromhex("ffffffff 01000000 feffffff"))
    assert reply.ticks == 0xFFFFFFFF
    assert reply.scores.tolist() == [1, -2]


@pytest.mark.parametrize("code", [*ErrorCode, 99])
def test_every_error_has_a_text(code: int) -> None:
    error = DeviceError(code, 3)
    assert str(error)
    assert error.is_transmission_error == (
        code in {ErrorCode.TYPE, ErrorCode.LENGTH, ErrorCode.CRC}
    )


def test_replies_have_the_top_bit_set() -> None:
    requests = {"HELLO", "RUN", "TRACE", "PROFILE"}
    assert all((kind >= 0x80) == (kind.name not in requests) for kind in FrameType)


def test_ticks_of_nodes_are_read_unsigned() -> None:
    payload = struct.pack("<4I", 16_000_000, 5, 1, 0xFFFFFFFF)
    expected = protocol.NodeTicks(16_000_000, 5, (1, 0xFFFFFFFF))
    assert protocol.decode_node_ticks(payload) == expected


@pytest.mark.parametrize("length_bytes", [0, 4, 9])
def test_ticks_of_a_wrong_length_are_refused(length_bytes: int) -> None:
    with pytest.raises(PayloadError):
        protocol.decode_node_ticks(bytes(length_bytes))
