"""What the runtime's objects contain: prefixed symbols, no writable data, nothing from libc."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernels.toolchain import compile_objects, require_tool, run_tool

Symbols = list[tuple[str, str]]
COMPILER_SUPPORT = ("__aeabi_", "__gnu_thumb1_case_", "memset", "memcpy")
"""What a compiler may call by itself: division and shifts without hardware, block operations."""


@pytest.fixture(scope="module", params=["cortex-m0plus", "cortex-m7"])
def symbols(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Symbols:
    """Type letter and name of every symbol of the runtime."""
    folder = tmp_path_factory.mktemp(f"symbols_{request.param}")
    compiler = require_tool("arm-none-eabi-gcc")
    flags = ["-O2", f"-mcpu={request.param}", "-mthumb"]
    objects: list[Path] = compile_objects(compiler, flags, folder)
    listing = run_tool([require_tool("arm-none-eabi-nm"), *objects]).decode()
    words = [line.split() for line in listing.splitlines()]
    return [(w[-2], w[-1]) for w in words if len(w) >= 2]


def test_global_symbols_are_prefixed(symbols: Symbols) -> None:
    defined = [name for kind, name in symbols if kind.isupper() and kind != "U"]
    assert defined
    assert [name for name in defined if not name.startswith("mcubnn_")] == []


def test_runtime_has_no_writable_data(symbols: Symbols) -> None:
    assert [name for kind, name in symbols if kind in "dDbBcC"] == []


def test_runtime_needs_no_library(symbols: Symbols) -> None:
    needed = {name for kind, name in symbols if kind == "U" and not name.startswith("mcubnn_")}
    assert {name for name in needed if not name.startswith(COMPILER_SUPPORT)} == set()


def test_runtime_uses_no_floating_point(symbols: Symbols) -> None:
    prefixes = ("__aeabi_f", "__aeabi_d2", "__aeabi_dm", "__aeabi_da", "__aeabi_i2", "__aeabi_l2")
    assert [name for _, name in symbols if name.startswith(prefixes)] == []
