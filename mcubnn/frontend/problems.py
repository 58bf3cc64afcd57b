"""What is wrong with a model: collected over all nodes, then reported in one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcubnn.errors import ModelError

_MAX_LISTED = 20
_MAX_TEXT = 220


class RuleError(Exception):
    """A node breaks a rule of its operator; the importer adds which node.

    Args:
        rule: what must hold.
        found: what the model has instead.
        hint: the next step for the user.
    """

    def __init__(self, rule: str, found: str, hint: str = "") -> None:
        super().__init__(f"{rule}; found {found}")
        self.rule = rule
        self.found = found
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """A broken rule at a node.

    Attributes:
        node: its name.
        op_type: its operator in the model's format.
        rule: what must hold.
        found: what was there, or "" where the rule says it.
        hint: the next step, or "".
    """

    node: str
    op_type: str
    rule: str
    found: str
    hint: str

    def __str__(self) -> str:
        lines = [f"{printable(self.node)} ({printable(self.op_type)}): {printable(self.rule)}"]
        if self.found:
            lines[0] += f"; found {printable(self.found)}"
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


def printable(text: str) -> str:
    """Text of the model on one line, without control characters, of bounded length."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:_MAX_TEXT])
    return clean if len(text) <= _MAX_TEXT else clean[:-3] + "..."


def model_error(file: str, problems: Sequence[Problem]) -> ModelError:
    """One error that lists all problems, a block each."""
    count = len(problems)
    noun = "1 node cannot" if count == 1 else f"{count} nodes cannot"
    blocks = [f"  {problem}" for problem in problems[:_MAX_LISTED]]
    if count > _MAX_LISTED:
        blocks.append(f"  ... and {count - _MAX_LISTED} more")
    return ModelError("\n".join([f"{printable(file)}: {noun} be compiled", *blocks]))
