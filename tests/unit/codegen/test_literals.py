"""Constants as C text: the compiler reads back what numpy holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from mcubnn.codegen.literals import LINE_WIDTH, array_text, struct_text
from mcubnn.ops.base import Constant, Struct, Table
from tests.kernels.toolchain import FLAGS, require_tool, run_tool

_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "int64")


def _extremes(name: str) -> Table:
    limits = np.iinfo(name)
    values = np.array([limits.min, limits.min + 1, -1 if limits.min else 0, 0, 1, limits.max], name)
    return Table("t", f"{name}_t", values, "")


@pytest.mark.parametrize("name", _TYPES)
def test_compiler_reads_back_the_extremes(name: str, tmp_path: Path) -> None:
    table = _extremes(name)
    source = tmp_path / "table.c"
    source.write_text(
        "#include <inttypes.h>\n#include <stddef.h>\n#include <stdio.h>\n"
        f"static const {table.c_type} t[] = {{\n{array_text(table)}}};\n"
        "int main(void) {\n"
        "    for (size_t i = 0u; i < sizeof(t) / sizeof(t[0]); i++) {\n"
        '        printf("%" PRId64 "\\n", (int64_t)t[i]);\n    }\n    return 0;\n}\n'
    )
    run_tool([require_tool("gcc"), *FLAGS, source, "-o", tmp_path / "table"])
    done = subprocess.run([tmp_path / "table"], capture_output=True, text=True, check=True)
    assert [int(line) for line in done.stdout.split()] == [int(v) for v in table.values]


@pytest.mark.parametrize("name", _TYPES)
def test_lines_stay_within_the_width(name: str) -> None:
    table = Table("t", f"{name}_t", np.resize(_extremes(name).values, 100), "")
    assert max(len(line) for line in array_text(table).splitlines()) <= LINE_WIDTH


def test_struct_names_its_tables_and_nests() -> None:
    table = Table("weights", "int8_t", np.zeros(3, np.int8), "")
    inner = Struct((("height", 3), ("pad", 0), ("negative", -1)))
    outer = Struct(
        (("input", inner), ("weights", table), ("kind", Constant("KIND_A")), ("flags", None))
    )
    assert struct_text(outer, "net_n00") == (
        "{\n"
        "    .input = {\n"
        "        .height = 3u,\n"
        "        .pad = 0,\n"
        "        .negative = -1\n"
        "    },\n"
        "    .weights = net_n00_weights,\n"
        "    .kind = KIND_A,\n"
        "    .flags = NULL\n"
        "}"
    )
