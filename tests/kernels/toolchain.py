"""Compilers and flags for the runtime's tests, taken from the runtime's own list of flags."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "runtime_c"
SOURCES = sorted((RUNTIME / "src").glob("*.c"))
ASSEMBLY = sorted((RUNTIME / "src").rglob("*.S"))
"""Each file is empty on the cores it is not for, so every target takes all of them."""
HEADERS = sorted((RUNTIME / "include" / "mcubnn").glob("*.h"))
INCLUDES = (f"-I{RUNTIME / 'include'}",)
FLAGS = tuple((RUNTIME / "compile_flags.txt").read_text().split())
SANITIZERS = (
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)
TIMEOUT_S = 120


def require_tool(name: str) -> str:
    """Path of a program; skips the test if it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run_tool(command: Sequence[str | Path], folder: Path | None = None) -> bytes:
    """Run a program to its end and return its standard output; the test fails if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False, cwd=folder)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def compile_objects(compiler: str, flags: Sequence[str], folder: Path) -> list[Path]:
    """Compile every source of the runtime into a folder."""
    sources = [*SOURCES, *ASSEMBLY]
    objects = [folder / f"{source.relative_to(RUNTIME).as_posix()}.o" for source in sources]
    for source, target in zip(sources, objects, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        run_tool([compiler, *FLAGS, *flags, *INCLUDES, "-c", source, "-o", target])
    return objects
