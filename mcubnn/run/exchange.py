"""Requests and replies over a line: sequence numbers, deadlines, bounded repetition.

Every failure ends in a TargetError that says what was asked, how long was waited, what arrived and
what the other end said last.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mcubnn.errors import TargetError
from mcubnn.run import protocol
from mcubnn.run.line import Line, LineClosedError, LineStuckError
from mcubnn.run.protocol import Frame, FrameParser, FrameType, Hello, NodeTicks, Reply
from mcubnn.run.runner import Deadlines

_FLUSH_BYTES = (64, 1 << 12, 1 << 16)
"""Filler before the 2nd, 3rd, ... hello, while the longest frame of the device is unknown."""

_FLUSH_PIECE_BYTES = 256
_LINE_BITS_PER_BYTE = 10
_FRAME_OVERHEAD_BYTES = 32  # generous: sync, header, node index, CRC


@dataclass(frozen=True)
class Peer:
    """Who is at the other end, for messages.

    Attributes:
        name: such as `serial port /dev/ttyACM0 at 115200 baud`.
        details: what is known about its state now, such as the last lines of its stderr.
        silent_hint: what to do when nothing arrives.
        baud: 0 if the line's speed is not limited.
    """

    name: str
    details: Callable[[], str]
    silent_hint: str
    baud: int = 0


class Exchange:
    """Asks a device over a line.

    Attributes:
        retries: requests that were repeated; a hello is not counted, because a board that is
            still booting does not hear the first one.
    """

    def __init__(self, line: Line, peer: Peer, deadlines: Deadlines) -> None:
        self._line = line
        self._peer = peer
        self._deadlines = deadlines
        self._parser = FrameParser()
        self._sequence = 0
        self._arrived_bytes = 0
        self._longest_request_bytes = 0
        self.retries = 0

    def hello(self) -> Hello:
        """Ask for the hello, and get the device in step if it is not."""
        limits = self._deadlines
        payload = self._ask(
            Frame(FrameType.HELLO, 0, b""),
            FrameType.HELLO_REPLY,
            [limits.hello_s * (attempt + 1) for attempt in range(limits.hello_attempts)],
        )
        try:
            version = protocol.read_hello_version(payload)
            if version != protocol.PROTOCOL_VERSION:
                raise TargetError(
                    f"{self._peer.name} speaks protocol version {version}; "
                    f"this mcubnn speaks {protocol.PROTOCOL_VERSION}",
                    "build and flash the firmware again with this version of mcubnn",
                )
            hello = protocol.decode_hello(payload)
        except protocol.PayloadError as error:
            raise self._malformed(error) from error
        self._longest_request_bytes = hello.input_bytes + _FRAME_OVERHEAD_BYTES
        return hello

    def infer(self, image: bytes) -> Reply:
        """Run the model once."""
        request = Frame(FrameType.RUN, 0, image)
        payload = self._ask(request, FrameType.RESULT, self._reply_waits(image))
        try:
            return protocol.decode_result(payload)
        except protocol.PayloadError as error:
            raise self._malformed(error) from error

    def trace(self, node: int, image: bytes) -> bytes:
        """Run nodes 0..node and return the last result's bytes."""
        request = Frame(FrameType.TRACE, 0, protocol.encode_trace(node, image))
        return self._ask(request, FrameType.TENSOR, self._reply_waits(image))

    def profile(self, image: bytes) -> NodeTicks:
        """Run the model once and time every node."""
        request = Frame(FrameType.PROFILE, 0, image)
        payload = self._ask(request, FrameType.TICKS, self._reply_waits(image))
        try:
            return protocol.decode_node_ticks(payload)
        except protocol.PayloadError as error:
            raise self._malformed(error) from error

    def _reply_waits(self, image: bytes) -> list[float]:
        wait_s = self._deadlines.reply_s + self._line_seconds(len(image))
        return [wait_s] * self._deadlines.attempts

    def _line_seconds(self, count_bytes: int) -> float:
        return count_bytes * _LINE_BITS_PER_BYTE / self._peer.baud if self._peer.baud else 0.0

    def _ask(self, request: Frame, wanted: FrameType, waits_s: list[float]) -> bytes:
        """Send a request until it is answered; one entry of `waits_s` per attempt.

        Getting in step counts as waiting, apart from the time its filler needs on the line.
        """
        self._arrived_bytes = 0
        self._parser.garbage = b""
        problem = ""
        try:
            for attempt, wait_s in enumerate(waits_s):
                deadline = time.monotonic() + wait_s
                if attempt:
                    self.retries += request.kind != FrameType.HELLO
                    deadline += self._line_seconds(self._get_in_step(attempt, wait_s / 2))
                reply = self._ask_once(request, wanted, wait_s, deadline)
                if isinstance(reply, bytes):
                    return reply
                problem = reply.text
        except LineClosedError as error:
            raise self._closed(str(error)) from error
        raise self._unanswered(request, problem, waits_s)

    def _ask_once(
        self, request: Frame, wanted: FrameType, wait_s: float, deadline: float
    ) -> bytes | _Problem:
        self._sequence = (self._sequence + 1) & 0xFFFF
        numbered = Frame(request.kind, self._sequence, request.payload)
        try:
            self._line.write(protocol.encode_frame(numbered), deadline)
        except LineStuckError:
            return _Problem(f"the request could not be sent within {wait_s:.3g} s")
        while time.monotonic() < deadline:
            for frame in self._receive(deadline):
                if frame.sequence != self._sequence:
                    continue  # the late answer to an earlier attempt
                if frame.kind == wanted:
                    return frame.payload
                if frame.kind == FrameType.ERROR:
                    return self._refusal(frame)
        return _Problem(f"no reply within {wait_s:.3g} s")

    def _refusal(self, frame: Frame) -> _Problem:
        """A problem that asking again may solve; raises for any other."""
        try:
            error = protocol.decode_error(frame.payload)
        except protocol.PayloadError as malformed:
            raise self._malformed(malformed) from malformed
        if error.is_transmission_error:
            return _Problem(f"the device {error}")
        raise TargetError(
            _lines(f"{self._peer.name}: the device {error}", self._peer.details()),
            "the firmware and this mcubnn disagree: build and flash again; if that does not help, "
            "report it",
        )

    def _receive(self, deadline: float) -> list[Frame]:
        data = self._line.read(deadline)
        self._arrived_bytes += len(data)
        return self._parser.feed(data)

    def _get_in_step(self, attempt: int, wait_s: float) -> int:
        """Complete a frame the device may be in the middle of, then wait for silence.

        Args:
            attempt: how often was asked.
            wait_s: for the line to take bytes, and for silence; in all.

        Returns:
            Bytes of filler that were sent.
        """
        deadline = time.monotonic() + wait_s
        sent_bytes = self._send_filler(attempt, wait_s)
        deadline += self._line_seconds(sent_bytes)
        while time.monotonic() < deadline:
            before_bytes = self._arrived_bytes
            self._receive(min(deadline, time.monotonic() + self._deadlines.quiet_s))
            if self._arrived_bytes == before_bytes:
                break
        self._parser.give_up()
        return sent_bytes

    def _send_filler(self, attempt: int, wait_s: float) -> int:
        """Send filler as long as the device may be inside a frame; how many bytes it was.

        The device skips filler between frames. Inside a frame filler completes it, and the device
        answers with a CRC error: the sign to stop. So is much else that arrives: inside a frame
        the device is silent.
        """
        known_bytes = self._longest_request_bytes
        flush_bytes = known_bytes or _FLUSH_BYTES[min(attempt, len(_FLUSH_BYTES)) - 1]
        last = time.monotonic() + wait_s + self._line_seconds(flush_bytes)
        before_bytes, sent_bytes = self._arrived_bytes, 0
        while sent_bytes < flush_bytes:
            piece_bytes = min(_FLUSH_PIECE_BYTES, flush_bytes - sent_bytes)
            try:
                self._line.write(
                    protocol.FILLER * piece_bytes, min(last, time.monotonic() + wait_s)
                )
            except LineStuckError:
                break  # the next request will say so
            sent_bytes += piece_bytes
            frames = self._receive(time.monotonic())
            if frames or self._arrived_bytes - before_bytes > _FLUSH_PIECE_BYTES:
                break
        return sent_bytes

    def _closed(self, reason: str) -> TargetError:
        said = f"the line to {self._peer.name} was closed" + (f": {reason}" if reason else "")
        return TargetError(
            _lines(said, self._peer.details()),
            "check that the device is still connected and powered, then try again",
        )

    def _malformed(self, error: Exception) -> TargetError:
        return TargetError(
            f"{self._peer.name} sent a reply this mcubnn does not understand: {error}",
            "build and flash the firmware again with this version of mcubnn",
        )

    def _unanswered(self, request: Frame, problem: str, waits_s: list[float]) -> TargetError:
        garbage = self._parser.garbage or self._parser.pending[:32]
        if garbage:
            shown = "".join(chr(b) if 32 <= b < 127 else "." for b in garbage)
            arrived = f"{self._arrived_bytes} bytes, first {garbage.hex(' ')}  {shown}"
            hint = "another firmware, or another baud rate, speaks there: check both"
        elif self._arrived_bytes:
            arrived = f"{self._arrived_bytes} bytes in valid frames, none the wanted reply"
            hint = "the line damages long frames: lower the baud rate, or try another cable"
        else:
            arrived = "nothing"
            hint = self._peer.silent_hint
        waits = " + ".join(f"{w:.3g}" for w in waits_s)
        return TargetError(
            _lines(
                f"{self._peer.name} does not answer {FrameType(request.kind).name}",
                f"  waited: {waits} s ({len(waits_s)} attempts)",
                f"  last problem: {problem}",
                f"  arrived: {arrived}",
                self._peer.details(),
            ),
            hint,
        )


@dataclass(frozen=True)
class _Problem:
    """Why one attempt failed."""

    text: str


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
