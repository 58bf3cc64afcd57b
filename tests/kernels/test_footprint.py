"""The sizes of code and stack by which kernels are chosen are what the compiler makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcubnn.build.stack import CallGraph, read_call_graph, worst_case
from mcubnn.ops.variants.cores import core_for
from mcubnn.ops.variants.footprint import KERNELS, SOURCE_BYTES, source_bytes, stack_bytes
from tests.kernels.instructions import core_flags
from tests.kernels.toolchain import compile_objects, require_tool, run_tool

CORES = ("cortex-m0", "cortex-m4", "cortex-m55")
"""One for each instruction set."""

TOLERANCE = 0.1
"""The tables hold the largest core's; compilers differ a little."""

pytestmark = pytest.mark.target


@dataclass(frozen=True)
class Runtime:
    """What was compiled for a core, by source file without folder.

    Attributes:
        code_bytes: code and constants.
        needs: sources of the functions that a source calls.
        graph: frames and calls.
    """

    code_bytes: Mapping[str, int]
    needs: Mapping[str, frozenset[str]]
    graph: CallGraph


@pytest.fixture(scope="module")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runtime, ...]:
    return tuple(compiled(core, tmp_path_factory.mktemp(core)) for core in CORES)


def compiled(core: str, folder: Path) -> Runtime:
    flags = [*core_flags(core), "-fcallgraph-info=su"]
    objects = compile_objects(require_tool("arm-none-eabi-gcc"), flags, folder)
    sizes = {path.stem: size for path in objects if (size := code_bytes(path))}
    home = {name: path.stem for path in objects for name in symbols(path, "TR")}
    needs = {
        path.stem: frozenset(home[name] for name in symbols(path, "U") if name in home)
        for path in objects
        if path.stem in sizes
    }
    graph = read_call_graph(path.read_text() for path in folder.rglob("*.ci"))
    return Runtime(sizes, needs, graph)


def code_bytes(path: Path) -> int:
    rows = run_tool([require_tool("arm-none-eabi-size"), "-A", path]).decode().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith((".text", ".ro", ".mcubnn")))


def symbols(path: Path, kinds: str) -> list[str]:
    rows = run_tool([require_tool("arm-none-eabi-nm"), path]).decode().splitlines()
    return [row.split()[-1] for row in rows if row.split()[-2] in kinds]


def test_sources_are_as_large_as_the_compiler_makes_them(runtimes: tuple[Runtime, ...]) -> None:
    for core, runtime in zip(CORES, runtimes, strict=True):
        expected = {source: source_bytes(source, core_for(core)) for source in SOURCE_BYTES}
        assert runtime.code_bytes == pytest.approx(expected, rel=TOLERANCE)


def test_kernels_need_the_sources_that_they_call(runtimes: tuple[Runtime, ...]) -> None:
    for runtime in runtimes:
        called = {name: runtime.needs[f"{name}.c"] - {f"{name}.c"} for name in KERNELS}
        assert called == {name: frozenset(kernel.needs) for name, kernel in KERNELS.items()}


def test_kernels_take_the_stack_of_their_deepest_call(runtimes: tuple[Runtime, ...]) -> None:
    for core, runtime in zip(CORES, runtimes, strict=True):
        promised = {name: stack_bytes(name, core_for(core)) for name in KERNELS}
        deepest = {
            name: worst_case(runtime.graph, f"mcubnn_{name}").worst_case_bytes for name in KERNELS
        }
        assert deepest == pytest.approx(promised, rel=TOLERANCE)
