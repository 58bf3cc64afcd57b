"""C identifiers from untrusted names."""

from __future__ import annotations

import re
from functools import cache

from mcubnn import resources

MAX_LENGTH = 32

_HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal "
    "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath "
    "threads time uchar wchar wctype"
)
_STANDARD_HEADERS = frozenset(_HEADERS.split())


def identifier(name: str) -> str:
    """Lower-case `[a-z0-9_]` of at most 32 characters; only ever used behind a prefix."""
    cleaned = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", name.lower())).strip("_")
    return cleaned[-MAX_LENGTH:].strip("_") or "node"


def model_prefix(name: str) -> str:
    """The prefix of a model's symbols and the stem of its files; never one that is taken.

    `net_` is put in front of a name that starts with a digit, that is a header of the compiler, or
    that the runtime uses itself (`model_` is how the firmware speaks of whatever model it holds).
    """
    prefix = identifier(name)
    is_taken = prefix in _STANDARD_HEADERS | _runtime_names() | {"model", "firmware_model"}
    if is_taken or prefix[0].isdigit() or prefix.startswith("mcubnn"):
        return f"net_{prefix}"
    return prefix


@cache
def _runtime_names() -> frozenset[str]:
    """Stems of the runtime's own files."""
    folder = resources.runtime_dir()
    return frozenset(path.stem for suffix in "ch" for path in folder.rglob(f"*.{suffix}"))
