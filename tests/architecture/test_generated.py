"""What is promised of generated C: its symbols, its warnings, its bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mcubnn.artifacts import CProgram
from mcubnn.board import load_board
from mcubnn.codegen.generate import generate
from mcubnn.codegen.project import project_files
from mcubnn.ir.graph import Graph
from mcubnn.ops.registry import device_operators
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from tests.architecture.models import every_operator, renamed
from tests.architecture.sources import ROOT
from tests.kernels.toolchain import FLAGS, RUNTIME, SOURCES, require_tool, run_tool

_CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
_INCLUDES = (f"-I{RUNTIME / 'include'}", f"-I{RUNTIME / 'src'}")
_STARTUP_NAMES = {"main", "Reset_Handler"}


def program(graph: Graph, board_id: str = "host") -> CProgram:
    board = load_board(board_id)
    selected = select_kernels(graph, board, SelectionOptions(), Budget())
    return generate(selected.graph, make_plan(selected.graph, board, Budget()))


def _write(made: CProgram, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.c"))


@pytest.fixture(scope="module")
def models() -> tuple[Graph, ...]:
    return every_operator()


def test_the_models_use_every_device_operator(models: tuple[Graph, ...]) -> None:
    assert {node.op.name for graph in models for node in graph.nodes} == set(device_operators())


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_host_compiles_without_warnings(
    compiler: str, models: tuple[Graph, ...], tmp_path: Path
) -> None:
    found = require_tool(compiler)
    for graph in models:
        for source in _write(program(graph), tmp_path / graph.name):
            run_tool([found, *FLAGS, *_INCLUDES, "-c", source, "-o", tmp_path / "out.o"])


@pytest.mark.target
@pytest.mark.parametrize("core", _CORES)
def test_core_compiles_without_warnings(
    core: str, models: tuple[Graph, ...], tmp_path: Path
) -> None:
    found = require_tool("arm-none-eabi-gcc")
    flags = (*FLAGS, f"-mcpu={core}", "-mthumb")
    for graph in models:
        for source in _write(program(graph, "qemu-mps2-an385"), tmp_path / graph.name):
            run_tool([found, *flags, *_INCLUDES, "-c", source, "-o", tmp_path / "out.o"])


def _globals(files: list[Path], tool: str = "nm") -> set[str]:
    listing = run_tool([require_tool(tool), "--defined-only", "--extern-only", *files]).decode()
    words = [line.split() for line in listing.splitlines()]
    return {word[-1] for word in words if len(word) == 3}


def test_globals_of_a_model_start_with_its_name(models: tuple[Graph, ...], tmp_path: Path) -> None:
    compiler = require_tool("gcc")
    for graph in models:
        (source,) = _write(program(graph), tmp_path / graph.name)
        target = tmp_path / f"{graph.name}.o"
        run_tool([compiler, *FLAGS, *_INCLUDES, "-c", source, "-o", target])
        names = _globals([target])
        assert names
        assert {name for name in names if not name.startswith(f"{graph.name}_")} == set()


@pytest.mark.target
@pytest.mark.parametrize("board_id", ["nucleo-f746", "qemu-mps2-an386"])
def test_globals_of_the_firmware_are_prefixed(board_id: str, tmp_path: Path) -> None:
    compiler, board = require_tool("arm-none-eabi-gcc"), load_board(board_id)
    graph = every_operator()[0]
    made = program(graph, board_id)
    _write(made, tmp_path)
    (tmp_path / "firmware_model.h").write_text(
        project_files(board, made.prefix, board.ram[0].name)["src/firmware_model.h"]
    )
    ports = [RUNTIME / "port" / name for name in ("cortex_m", board.port)]
    sources = [*SOURCES, *(RUNTIME / "firmware").glob("*.c"), *tmp_path.glob("*.c")]
    sources += [path for port in ports for path in port.glob("*.c")]
    defines = [f"-D{name}={value}" for name, value in board.defines]
    includes = [f"-I{RUNTIME / part}" for part in ("firmware", "port")] + [f"-I{p}" for p in ports]
    flags = [f"-mcpu={board.cpu}", "-mthumb", *_INCLUDES, *includes, f"-I{tmp_path}", *defines]
    clock = [f"-DMCUBNN_CORE_CLOCK_HZ={board.clock_hz}u", f"-DMCUBNN_PORT_BAUD={board.baud}u"]
    objects = []
    for index, source in enumerate(sources):
        objects.append(tmp_path / f"{index}.o")
        run_tool([compiler, *FLAGS, *flags, *clock, "-c", source, "-o", objects[-1]])
    names = _globals(objects, "arm-none-eabi-nm")
    prefixes = ("mcubnn_", f"{made.prefix}_")
    assert {name for name in names if not name.startswith(prefixes)} <= _STARTUP_NAMES


def test_two_models_link_and_run_in_one_program(models: tuple[Graph, ...], tmp_path: Path) -> None:
    compiler = require_tool("gcc")
    made = [program(renamed(models[0], name)) for name in ("first", "second")]
    sources = [path for m in made for path in _write(m, tmp_path)]
    main = tmp_path / "main.c"
    main.write_text(
        '#include "first.h"\n#include "second.h"\n#include <string.h>\n'
        "int main(void) {\n"
        "    static uint8_t input[FIRST_INPUT_BYTES];\n"
        "    int32_t a[FIRST_OUTPUT_COUNT];\n    int32_t b[SECOND_OUTPUT_COUNT];\n"
        "    if (first_run(input, a) != MCUBNN_SUCCESS) {\n        return 1;\n    }\n"
        "    if (second_run(input, b) != MCUBNN_SUCCESS) {\n        return 1;\n    }\n"
        "    return memcmp(a, b, sizeof(a)) != 0;\n}\n"
    )
    files = sorted({*sources, main, *SOURCES})
    run_tool([compiler, *FLAGS, *_INCLUDES, f"-I{tmp_path}", *files, "-o", tmp_path / "both"])
    run_tool([tmp_path / "both"])


_SCRIPT = """
import sys, hashlib
from tests.architecture.models import every_operator
from tests.architecture.test_generated import program
texts = [t for g in every_operator() for n, t in sorted(program(g).files.items())]
sys.stdout.write(hashlib.sha256("".join(texts).encode()).hexdigest())
"""


def test_bytes_do_not_depend_on_folder_time_or_hash_seed(tmp_path: Path) -> None:
    digests = set()
    for seed, zone, folder in (("0", "UTC", ROOT), ("4321", "Asia/Tokyo", tmp_path)):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_no_line_names_a_path_or_a_date(models: tuple[Graph, ...]) -> None:
    for graph in models:
        text = "".join(program(graph).files.values())
        assert str(Path.home()) not in text
        assert not re.search(r"/(home|tmp|usr|work)/|20\d\d-\d\d-\d\d", text)


_HOSTILE = (
    *("*/ int evil; /*", '"; system("x"); //', "a\nb", "a\\", "../../etc/passwd", "ümlaut", "日本"),
    *("double", "int32_t", "NULL", "main", "9lives", "_leading", "", " ", "A-B", "x" * 10_000),
    *("mcubnn", "mcubnn_types", "string", "stdint", "protocol", "crc32", "port", "model", "bits"),
    *("firmware_model", "check", "aaaaaaaa" + "9" * 40, "%s%n", "??/", "${HOME}", "$(id)", "#if 0"),
)


@pytest.mark.parametrize("name", _HOSTILE, ids=lambda name: repr(name)[:20])
def test_no_name_of_a_model_or_node_reaches_c_as_it_is(name: str, tmp_path: Path) -> None:
    made = program(renamed(every_operator()[1], name, node=name))
    for file in made.files:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}\.[ch]", file)
    _write(made, tmp_path)
    text = "".join(made.files.values())
    assert text.isascii()
    assert "evil" not in re.sub(r"\w*_evil\w*|evil_\w*", "", text)
    (tmp_path / "firmware_model.h").write_text(
        project_files(load_board("host"), made.prefix, "ram")["src/firmware_model.h"]
    )
    sources = [tmp_path / f"{made.prefix}.c", *(RUNTIME / "firmware").glob("*.c")]
    includes = [f"-I{tmp_path}", f"-I{RUNTIME / 'firmware'}", f"-I{RUNTIME / 'port'}"]
    for source in sources:
        run_tool([require_tool("gcc"), *FLAGS, *includes, *_INCLUDES, "-fsyntax-only", source])


def test_names_that_differ_in_punctuation_only_stay_apart() -> None:
    graph = every_operator()[0]
    names = [f"n{'.' * index}" for index in range(len(graph.nodes))]
    made = program(renamed(graph, "net", nodes=names))
    symbols = re.findall(r"^static const \w+ (\w+)(?:\[| =)", made.files["net.c"], re.MULTILINE)
    assert len(symbols) == len(set(symbols))
    assert np.all([s.startswith("net_n") for s in symbols])
