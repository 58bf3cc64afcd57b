"""The runtime compiles without a warning, for every core and as C++ headers."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from tests.kernels.toolchain import (
    FLAGS,
    HEADERS,
    INCLUDES,
    RUNTIME,
    SOURCES,
    compile_objects,
    require_tool,
    run_tool,
)

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
REQUIRED_WARNINGS = (
    *("all", "extra", "pedantic", "error", "conversion", "sign-conversion", "shadow", "cast-qual"),
    *("missing-prototypes", "strict-prototypes", "undef", "double-promotion", "vla"),
)


def test_flag_list_is_as_strict_as_the_style_asks() -> None:
    assert {"-std=c11", *(f"-W{name}" for name in REQUIRED_WARNINGS)} <= set(FLAGS)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_host_compiles_without_warnings(compiler: str, tmp_path: Path) -> None:
    compile_objects(require_tool(compiler), ["-O2"], tmp_path)


@pytest.mark.parametrize("core", CORES)
def test_core_compiles_without_warnings(core: str, tmp_path: Path) -> None:
    compile_objects(require_tool("arm-none-eabi-gcc"), [f"-mcpu={core}", "-mthumb"], tmp_path)


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.name)
def test_header_stands_alone_in_cpp(header: Path, tmp_path: Path) -> None:
    source = tmp_path / "alone.cpp"
    source.write_text(f'#include "mcubnn/{header.name}"\n')
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
    run_tool([require_tool("g++"), *flags, *INCLUDES, source])


def test_sources_follow_the_clang_format_file() -> None:
    private = sorted((RUNTIME / "src").glob("*.h"))
    # The one of the development dependencies: another release on PATH knows other options.
    formatter = Path(sysconfig.get_path("scripts")) / "clang-format"
    run_tool([formatter, "--dry-run", "-Werror", *SOURCES, *private, *HEADERS])
