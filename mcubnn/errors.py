"""Every error a user can cause, each with its exit code.

`cli` is the only place that turns one of these into a message and an exit status. A message says
what went wrong, where, which rule was broken, what was found, and (in `hint`) what to do next.
"""

from __future__ import annotations


class McubnnError(Exception):
    """Base of all errors that are reported without a traceback.

    Args:
        message: what went wrong, where, and what was found; may span several lines.
        hint: the next step for the user.
    """

    exit_code: int = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(McubnnError):
    """A command-line option, TOML file or data file has an unusable value."""

    exit_code = 2


class ModelError(McubnnError):
    """The model file cannot be read or contains something that cannot be compiled."""

    exit_code = 3


class BudgetError(McubnnError):
    """The program does not fit the board or the budget the user gave."""

    exit_code = 4


class BuildError(McubnnError):
    """A tool is missing, or the C build failed or produced an unusable image."""

    exit_code = 5


class TargetError(McubnnError):
    """The emulator, the board or the line to it failed."""

    exit_code = 6


class MismatchError(McubnnError):
    """A device differs from the reference, a compiled network from its model, or a share is low."""

    exit_code = 7


class InternalError(McubnnError):
    """A defect of mcubnn itself."""

    exit_code = 70
