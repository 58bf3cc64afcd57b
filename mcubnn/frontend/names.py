"""The name a model gets in C, from its file name."""

from __future__ import annotations

import re

_MAX_LENGTH = 40
_WORDS = (
    "alignas alignof asm auto bool break case catch char class const constexpr continue default "
    "delete do double else enum explicit export extern false float for friend goto if inline int "
    "long main mutable namespace new noreturn nullptr operator private protected public register "
    "restrict return short signed sizeof static struct switch template this throw true try typedef "
    "typeof union unsigned using virtual void volatile while"
)
_RESERVED = frozenset(_WORDS.split())


def model_name(stem: str) -> str:
    """A C identifier in lower case: the stem where that is one, else a name close to it."""
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    if not name or not name[0].isalpha() or name in _RESERVED:
        name = f"model_{name}".rstrip("_")
    return name[:_MAX_LENGTH].rstrip("_")
