"""Running `mcubnn` in this process, and small files to give to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mcubnn import cli
from mcubnn.ir.types import Array
from tests.unit.frontend.onnx_models import binary_dense

ONE_SCREEN_LINES = 24
INPUT_SHAPE = (2, 3, 3)
CLASSES = 4


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def assert_reported(self, code: int, *patterns: str) -> None:
        """A documented exit code and a message of one screen, no traceback."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        lines = self.err.strip().splitlines()
        assert 1 <= len(lines) <= ONE_SCREEN_LINES, self.err
        flat = re.sub(r"\s+", " ", self.err)
        for pattern in patterns:
            assert re.search(pattern, flat), f"{pattern!r} is not in:\n{self.err}"


Command = Callable[..., Outcome]


def run_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object
) -> Outcome:
    """One `mcubnn` command."""
    monkeypatch.setattr("sys.argv", ["mcubnn", *(str(word) for word in words)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as raised:
        cli.main()
    captured = capsys.readouterr()
    code = raised.value.code
    return Outcome(code if isinstance(code, int) else int(code is not None), *captured)


def write_model(path: Path) -> Path:
    """A small valid network: 18 pixels, 8 hidden bits, 4 classes."""
    path.write_bytes(binary_dense().SerializeToString())
    return path


def write_data(path: Path, images: Array | None = None, labels: Array | None = None) -> Path:
    """A data set; random pixels and labels that fit the small network where none are given."""
    random = np.random.default_rng(3)
    if images is None:
        images = random.integers(0, 256, (6, *INPUT_SHAPE), np.uint8)
    if labels is None:
        labels = random.integers(0, CLASSES, len(images))
    np.savez(path, images=images, labels=labels)
    return path
