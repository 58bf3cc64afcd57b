"""Runs the commands of a documentation page in an empty folder and compares what they print.

    python docs/transcripts.py README.md docs/TUTORIAL.md    writes what they print now

How a page says it, in Markdown comments right above a code block:

    <!-- file: NAME -->        the block is written to that file
    <!-- not run: REASON -->   an `sh` block that is not executed, and why
    <!-- shows: COMMAND -->    a `text` block is the output of COMMAND instead of the block above

Every other `sh` block is executed, in order, in one folder; a `text` block right after it is its
standard output. Numbers and versions may differ between computers and are not compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 300.0

_BLOCK = re.compile(
    r"(?:^<!-- (?P<key>file|not run|shows): (?P<value>[^\n]*) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NUMBER = re.compile(r"\b[0-9a-f]{8}\b|\d[\d.,]*")
_VERSION = re.compile(r"^(compiler:|.*onnxruntime|.*QEMU).*$")


class TranscriptError(Exception):
    """A command failed, or printed something else than the page says."""


@dataclass(frozen=True)
class Block:
    """One code block.

    Attributes:
        key, value: of the comment above it; empty if there is none.
        start, end: where `text` lies in the page.
    """

    language: str
    text: str
    key: str
    value: str
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    """All code blocks of a page."""
    return [
        Block(
            match["language"], match["text"], match["key"] or "", match["value"] or "",
            match.start("text"), match.end("text"),
        )
        for match in _BLOCK.finditer(page)
    ]  # fmt: skip


def run_page(page: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Execute a page; yields each `text` block with what was really printed.

    Raises:
        TranscriptError: a command failed.
    """
    printed = None
    for block in blocks(page):
        if block.key == "file":
            (folder / block.value).write_text(block.text, encoding="utf-8")
        elif block.key == "shows":
            yield block, _run(block.value, folder)
        elif block.language == "sh":
            printed = None if block.key == "not run" else _run(block.text, folder)
            continue
        elif block.language == "text" and printed is not None:
            yield block, printed
        printed = None


def _run(script: str, folder: Path) -> str:
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {
        "COLUMNS": "80",
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
    }
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        timeout=DEADLINE_S,
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise TranscriptError(f"{script}\nexited with {finished.returncode}:\n{finished.stderr}")
    return "".join(f"{line.rstrip()}\n" for line in finished.stdout.splitlines())


def wording(text: str) -> list[str]:
    """The lines without what differs between computers."""
    lines = (_VERSION.sub(r"\1", line) for line in text.splitlines())
    return [" ".join(_NUMBER.sub("#", line).split()) for line in lines]


def update(path: Path) -> None:
    """Put what the commands print now into the page."""
    page = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        found = list(run_page(page, Path(folder)))
    for block, printed in reversed(found):
        page = page[: block.start] + printed + page[block.end :]
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        update(Path(name))
