"""Running other programs: with a deadline, with a log file, and with errors that help."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mcubnn.errors import BuildError

_LAST_LINES = 20


def run_logged(
    command: Sequence[str],
    log: Path,
    deadline_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command; everything it prints goes to `log`, which is overwritten.

    Raises:
        BuildError: the command is missing, fails, or is not done at the deadline. Then it and its
            children are stopped.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            msg = f"cannot run `{shlex.join(command)}`: {error.strerror}"
            raise BuildError(msg, "`mcubnn doctor` shows which tools are missing") from error
        status = _wait(process, deadline_s)
    if status == 0:
        return
    outcome = f"exit status {status}" if status is not None else f"not done after {deadline_s:g} s"
    msg = f"`{shlex.join(command)}`: {outcome}\n{last_lines(log)}\nlog: {log}"
    raise BuildError(msg, "the last lines above name the cause; the log has the rest")


def last_lines(log: Path) -> str:
    """The last lines of a log, for an error message."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])


def _wait(process: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """Exit status, or None if the deadline passed."""
    try:
        return process.wait(deadline_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
