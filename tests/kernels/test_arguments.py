"""Kernels refuse arguments they cannot use; the checks are in arguments.c."""

from __future__ import annotations

from pathlib import Path

from mcubnn.ops.registry import device_operators
from tests.kernels.toolchain import INCLUDES, SANITIZERS, SOURCES, require_tool, run_tool

PROGRAM = Path(__file__).with_name("arguments.c")


def test_kernels_refuse_unusable_arguments(tmp_path: Path) -> None:
    flags = ("-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZERS)
    program = tmp_path / "arguments"
    run_tool([require_tool("gcc"), *flags, *INCLUDES, PROGRAM, *SOURCES, "-o", program])
    run_tool([program])


def test_every_kernel_is_checked() -> None:
    text = PROGRAM.read_text()
    assert [n for n in device_operators() if f"REFUSES(mcubnn_{n});" not in text] == []
