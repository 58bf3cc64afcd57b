"""Frames and payloads of docs/PROTOCOL.md, host side: encoding, decoding, finding frames in bytes.

No input or output happens here. The device's side is runtime_c/firmware/protocol.c.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType

PROTOCOL_VERSION = 2
SYNC = b"\xb1\x4e"
FILLER = b"\x00"
"""Never part of the sync bytes, so any number of them is skipped between frames."""

_HEADER = struct.Struct("<BHI")
_CRC = struct.Struct("<I")
_HELLO = struct.Struct("<HHIBxHHHII")
_ERROR = struct.Struct("<Hi")
_TICKS = struct.Struct("<I")
_NODE_TICKS = struct.Struct("<II")
_OVERHEAD_BYTES = len(SYNC) + _HEADER.size + _CRC.size
_KEPT_GARBAGE_BYTES = 32
_INPUT_TYPES = {0: DType.UINT8, 1: DType.INT8}


class FrameType(IntEnum):
    """Type byte of a frame; replies have the top bit set."""

    HELLO = 0x01
    RUN = 0x02
    TRACE = 0x03
    PROFILE = 0x04
    HELLO_REPLY = 0x81
    RESULT = 0x82
    TENSOR = 0x83
    TICKS = 0x84
    ERROR = 0xFF


class ErrorCode(IntEnum):
    """Why a device refused a request."""

    TYPE = 1
    LENGTH = 2
    CRC = 3
    NODE = 4
    KERNEL = 5


TRANSMISSION_ERRORS = frozenset({ErrorCode.TYPE, ErrorCode.LENGTH, ErrorCode.CRC})
"""What a damaged request looks like to the device: asking again can help."""


class PayloadError(Exception):
    """A frame with a correct CRC whose payload does not have the documented form."""


@dataclass(frozen=True)
class Frame:
    """One frame in either direction; `kind` is any byte, known or not."""

    kind: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Hello:
    """What a device says about itself and its model.

    Attributes:
        input_shape: height, width, channels; a vector is `(1, 1, features)`.
    """

    protocol_version: int
    abi_version: int
    model_hash: int
    input_type: DType
    input_shape: tuple[int, int, int]
    output_count: int
    node_count: int
    model_name: str
    board_name: str

    @property
    def input_bytes(self) -> int:
        """Bytes of one input."""
        height, width, channels = self.input_shape
        return height * width * channels


@dataclass(frozen=True)
class Reply:
    """Result of one inference.

    Attributes:
        scores: int32 `[outputs]`.
        ticks: of the port's counter, for the inference; 0 where the port has none.
    """

    scores: NDArray[np.int32]
    ticks: int


@dataclass(frozen=True)
class NodeTicks:
    """What every node took in one inference.

    Attributes:
        tick_hz: frequency of the port's counter; 0 where the port has none.
        empty_ticks: of a measurement of nothing; contained in every node's ticks.
        nodes: ticks of each node, in execution order.
    """

    tick_hz: int
    empty_ticks: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class DeviceError:
    """A refusal. `detail` depends on the code (docs/PROTOCOL.md)."""

    code: int
    detail: int

    @property
    def is_transmission_error(self) -> bool:
        """Whether the request may have been damaged on its way."""
        return self.code in TRANSMISSION_ERRORS

    def __str__(self) -> str:
        texts = {
            ErrorCode.TYPE: f"does not know request type 0x{self.detail & 0xFF:02x}",
            ErrorCode.LENGTH: f"expects a payload of {self.detail} bytes for this request",
            ErrorCode.CRC: "received a frame with a wrong CRC",
            ErrorCode.NODE: f"has nodes 0..{self.detail - 1} only",
            ErrorCode.KERNEL: f"reports that a kernel failed with status {self.detail}",
        }
        known = self.code in set(ErrorCode)
        return texts[ErrorCode(self.code)] if known else f"reports unknown error {self.code}"


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the line."""
    body = _HEADER.pack(frame.kind, frame.sequence, len(frame.payload)) + frame.payload
    return SYNC + body + _CRC.pack(zlib.crc32(body))


def encode_trace(node: int, image: bytes) -> bytes:
    """Payload of a TRACE request: run nodes 0..node on the image and return the last result."""
    return struct.pack("<H", node) + image


def read_hello_version(payload: bytes) -> int:
    """Protocol version of a HELLO reply: the one field whose place never changes."""
    if len(payload) < 2:
        raise PayloadError(f"hello of {len(payload)} bytes")
    return int.from_bytes(payload[:2], "little")


def decode_hello(payload: bytes) -> Hello:
    """Read the payload of a HELLO reply of this protocol version."""
    names = payload[_HELLO.size :].split(b"\0")
    if len(payload) < _HELLO.size or len(names) != 3 or names[2]:
        raise PayloadError(f"hello of {len(payload)} bytes does not end with two names")
    version, abi, model_hash, type_code, height, width, channels, outputs, nodes = (
        _HELLO.unpack_from(payload)
    )
    if type_code not in _INPUT_TYPES:
        raise PayloadError(f"hello has input type {type_code}; known are 0 and 1")
    model_name, board_name = (n.decode("utf-8", errors="backslashreplace") for n in names[:2])
    return Hello(
        protocol_version=version,
        abi_version=abi,
        model_hash=model_hash,
        input_type=_INPUT_TYPES[type_code],
        input_shape=(height, width, channels),
        output_count=outputs,
        node_count=nodes,
        model_name=model_name,
        board_name=board_name,
    )


def encode_hello(hello: Hello) -> bytes:
    """Payload of a HELLO reply; a device written in Python needs it."""
    code = next(code for code, dtype in _INPUT_TYPES.items() if dtype is hello.input_type)
    fixed = _HELLO.pack(
        hello.protocol_version,
        hello.abi_version,
        hello.model_hash,
        code,
        *hello.input_shape,
        hello.output_count,
        hello.node_count,
    )
    return fixed + b"".join(n.encode() + b"\0" for n in (hello.model_name, hello.board_name))


def decode_result(payload: bytes) -> Reply:
    """Read the payload of a RESULT reply."""
    if len(payload) < _TICKS.size or len(payload) % 4:
        raise PayloadError(f"result of {len(payload)} bytes is not ticks and int32 scores")
    (ticks,) = _TICKS.unpack_from(payload)
    scores = np.frombuffer(payload, "<i4", offset=_TICKS.size).astype(np.int32)
    return Reply(scores, ticks)


def decode_node_ticks(payload: bytes) -> NodeTicks:
    """Read the payload of a TICKS reply."""
    if len(payload) < _NODE_TICKS.size or len(payload) % 4:
        raise PayloadError(f"profile of {len(payload)} bytes is not a list of uint32")
    tick_hz, empty_ticks = _NODE_TICKS.unpack_from(payload)
    nodes = np.frombuffer(payload, "<u4", offset=_NODE_TICKS.size)
    return NodeTicks(tick_hz, empty_ticks, tuple(int(ticks) for ticks in nodes))


def decode_error(payload: bytes) -> DeviceError:
    """Read the payload of an ERROR reply."""
    if len(payload) != _ERROR.size:
        raise PayloadError(f"error reply of {len(payload)} bytes")
    return DeviceError(*_ERROR.unpack(payload))


class FrameParser:
    """Finds frames in a stream of bytes that may contain anything.

    After a frame with a wrong CRC the search goes on right behind its sync bytes, so that a frame
    that starts inside a broken one is found.

    Args:
        max_payload_bytes: a longer payload is taken for garbage.

    Attributes:
        skipped_bytes: bytes that belonged to no valid frame.
        broken_frames: frames with a wrong CRC or an impossible length.
        garbage: the first skipped bytes, for error messages.
    """

    def __init__(self, max_payload_bytes: int = 1 << 20) -> None:
        self._max_payload_bytes = max_payload_bytes
        self._pending = bytearray()
        self.skipped_bytes = 0
        self.broken_frames = 0
        self.garbage = b""

    @property
    def pending(self) -> bytes:
        """The beginning of a frame that is not complete yet."""
        return bytes(self._pending)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they arrive; return the frames they complete, in order."""
        self._pending += data
        frames = []
        while (frame := self._next_frame()) is not None:
            frames.append(frame)
        return frames

    def give_up(self) -> list[Frame]:
        """Treat the incomplete frame as garbage; return complete frames that it hid."""
        frames: list[Frame] = []
        while self._pending:
            self._skip(1)
            frames += self.feed(b"")
        return frames

    def _next_frame(self) -> Frame | None:
        """Take one valid frame out of the pending bytes; None if more bytes are needed."""
        while self._seek_sync() and len(self._pending) >= _OVERHEAD_BYTES:
            kind, sequence, length_bytes = _HEADER.unpack_from(self._pending, len(SYNC))
            end = _OVERHEAD_BYTES + length_bytes
            if length_bytes <= self._max_payload_bytes and len(self._pending) < end:
                return None
            if length_bytes <= self._max_payload_bytes and self._crc_matches(end):
                payload = bytes(self._pending[len(SYNC) + _HEADER.size : end - _CRC.size])
                del self._pending[:end]
                return Frame(kind, sequence, payload)
            self.broken_frames += 1
            self._skip(len(SYNC))
        return None

    def _crc_matches(self, end: int) -> bool:
        body = memoryview(self._pending)[len(SYNC) : end]
        try:
            return zlib.crc32(body[: -_CRC.size]) == _CRC.unpack(body[-_CRC.size :])[0]
        finally:
            body.release()  # a bytearray with a live view cannot shrink

    def _seek_sync(self) -> bool:
        """Drop what cannot start a frame; whether the pending bytes start with the sync."""
        start = self._pending.find(SYNC)
        if start < 0:  # the last byte may be the first half of a sync
            start = len(self._pending) - self._pending.endswith(SYNC[:1])
        self._skip(start)
        return self._pending.startswith(SYNC)

    def _skip(self, count: int) -> None:
        missing = _KEPT_GARBAGE_BYTES - len(self.garbage)
        self.garbage += bytes(self._pending[: min(count, missing)])
        self.skipped_bytes += count
        del self._pending[:count]
