"""A process that runs an image: what it said on stderr, how it ended, and that it does end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

from mcubnn.errors import TargetError

_SHOWN_LINES = 12


class Child:
    """A child process whose stderr is kept in a file, where it can never fill a pipe.

    Args:
        command: program and arguments.
        piped: whether to connect its stdin and stdout with pipes.
    """

    def __init__(self, command: Sequence[str], *, piped: bool) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        stream = subprocess.PIPE if piped else subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(
                [*([] if piped else _die_with_parent()), *command],
                stdin=stream,
                stdout=stream,
                stderr=self._stderr,
                bufsize=0,
            )
        except OSError as error:
            self._stderr.close()
            raise TargetError(
                f"cannot start {command[0]}: {error.strerror}", "build the image again"
            ) from error

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Its stdout and stdin."""
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        return self.process.stdout, self.process.stdin

    def state(self, settle_s: float = 0.0) -> str:
        """How it ended, and the beginning and end of its stderr; for messages.

        Args:
            settle_s: how long to wait for the end of a process that has closed its line.
        """
        try:
            status = self.process.wait(settle_s)
        except subprocess.TimeoutExpired:
            ended = "is still running"
        else:
            ended = (
                f"was killed by {_signal_name(-status)}"
                if status < 0
                else f"exited with status {status}"
            )
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="backslashreplace").splitlines()
        if len(said) > _SHOWN_LINES:
            said = [*said[: _SHOWN_LINES // 2], "...", *said[-_SHOWN_LINES // 2 :]]
        label = "its stderr:" if said else "its stderr is empty"
        return "\n".join([f"the process {ended}; {label}", *(f"  {line}" for line in said)])

    def stop(self, grace_s: float) -> None:
        """End the process: by the end of its input, then by force. Safe to call twice."""
        try:
            if self.process.stdin is not None:
                self.process.stdin.close()
                self.process.wait(grace_s)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            pass
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self._stderr.close()


def _die_with_parent() -> list[str]:
    """A prefix that lets the kernel end the child even if we are killed without a chance to.

    A piped child needs none: it sees the end of its input.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
