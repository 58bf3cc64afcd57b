"""How a command ends: the one place that maps errors and signals to messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import NoReturn

from rich.console import Console

from mcubnn.errors import InternalError, McubnnError, UsageError
from mcubnn.report import text

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""A disk that is full or broken; such an error often names no file."""

_stderr = Console(stderr=True)


@contextlib.contextmanager
def reported_errors() -> Iterator[None]:
    """Turn what ends a command into a message and an exit code; SIGTERM cleans up like Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except McubnnError as error:
        _exit_with(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        problem = _os_problem(error)
        if problem is None:
            _exit_with_traceback()
        _exit_with(problem)
    except Exception:
        _exit_with_traceback()
    finally:
        signal.signal(signal.SIGTERM, before)


def reject_empty(words: list[str]) -> None:
    """An unset shell variable becomes an empty word, which options would take for a default.

    Raises:
        UsageError: there is one.
    """
    for before, word in zip(["", *words], words, strict=False):
        if word and not (word.startswith("--") and word.endswith("=")):
            continue
        what = word.rstrip("=") or (before if before.startswith("-") else "an argument")
        raise UsageError(f"{what}: the value is empty", "give a value, or leave it out")


def _terminate(number: int, _frame: object) -> NoReturn:
    """Leave by an exception, so that everything begun is undone; a second signal waits for that."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(TERMINATED)


def _os_problem(error: OSError) -> UsageError | None:
    """What the user can do about it; None for a defect of mcubnn."""
    if error.errno in _DISK_ERRORS:
        _forget_output()
        where = "cannot write" if error.filename is None else error.filename
        return UsageError(f"{where}: {error.strerror}", "free some space, or write elsewhere")
    if error.filename is None:
        return None
    hint = "check that the path is right, and that it may be written"
    return UsageError(f"{error.filename}: {error.strerror}", hint)


def _forget_output() -> None:
    """Drop what stdout did not take; Python would try again at its end, and fail again."""
    with contextlib.suppress(io.UnsupportedOperation):  # stdout is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_with(error: McubnnError) -> NoReturn:
    _stderr.print("[bold red]error:[/] ", end="", highlight=False)
    _stderr.print(text.printable(error.message), markup=False, highlight=False, soft_wrap=True)
    if error.hint:
        hint = f"hint: {text.printable(error.hint)}"
        _stderr.print(hint, markup=False, highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)


def _exit_with_traceback() -> NoReturn:
    traceback.print_exc()
    _stderr.print("this is a defect of mcubnn: please report it with the lines above")
    sys.exit(InternalError.exit_code)
