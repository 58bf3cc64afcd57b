"""The runtime's README: its program is the example in the folder and does what the text says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from mcubnn.ops.registry import device_operators
from tests.kernels.toolchain import (
    FLAGS,
    HEADERS,
    INCLUDES,
    ROOT,
    RUNTIME,
    SANITIZERS,
    SOURCES,
    require_tool,
    run_tool,
)

README = (RUNTIME / "README.md").read_text()


def block(language: str) -> str:
    """The only code block of a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return text


def test_program_in_the_readme_is_the_example() -> None:
    assert block("c") == (RUNTIME / "examples" / "cross_or_ring" / "main.c").read_text()


def test_program_in_the_readme_prints_what_the_text_says(tmp_path: Path) -> None:
    source, program = tmp_path / "main.c", tmp_path / "main"
    source.write_text(block("c"))
    compiler = require_tool("gcc")
    run_tool([compiler, *FLAGS, *SANITIZERS, *INCLUDES, source, *SOURCES, "-o", program])
    assert f"prints `{run_tool([program]).decode().strip()}`" in README


def test_command_in_the_readme_builds_the_example(tmp_path: Path) -> None:
    command = block("sh").strip().replace("-o cross_or_ring", f"-o {tmp_path / 'program'}")
    run_tool([require_tool("sh"), "-c", f"cd {RUNTIME} && {command}"])
    assert (tmp_path / "program").is_file()


def test_readme_lists_every_kernel() -> None:
    listed = re.findall(r"^\| `mcubnn_(\w+)` ", README, re.MULTILINE)
    kernel = re.compile(r"^mcubnn_status mcubnn_(\w+)\(", re.MULTILINE)
    declared = {name for header in HEADERS for name in kernel.findall(header.read_text())}
    assert sorted(listed) == sorted(declared)
    assert set(device_operators()) <= declared


def test_library_has_the_version_of_the_project() -> None:
    library = json.loads((RUNTIME / "library.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert library["version"] == project["version"]
    assert library["license"] == project["license"]
