"""Size budgets and forbidden words of STYLE: over the files that git tracks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.architecture.sources import ROOT, tracked

_PYTHON = tracked("*.py")
_PACKAGE = [path for path in _PYTHON if path.is_relative_to(ROOT / "mcubnn")]
_C = tracked("*.c", "*.h")
_FORBIDDEN_MODULES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
_STAGES = tuple(
    f"mcubnn.{name}"
    for name in ("frontend", "passes", "plan", "codegen", "build", "run", "validate", "report")
)

Place = tuple[str, int]
"""File and line."""


def _lines(paths: Sequence[Path]) -> Iterator[tuple[Place, str]]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield (path.relative_to(ROOT).as_posix(), number), line


def _functions(paths: Sequence[Path]) -> Iterator[tuple[Place, ast.FunctionDef]]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield (path.relative_to(ROOT).as_posix(), node.lineno), node


def _too_long(paths: Sequence[Path], limit: int) -> dict[str, int]:
    lengths = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in paths}
    return {name: length for name, length in lengths.items() if length > limit}


def test_python_files_have_at_most_400_lines() -> None:
    assert _too_long(_PYTHON, 400) == {}


def test_python_functions_have_at_most_50_lines() -> None:
    lengths = {
        place: (node.end_lineno or node.lineno) - node.lineno + 1
        for place, node in _functions(_PYTHON)
    }
    assert {place: length for place, length in lengths.items() if length > 50} == {}


def test_c_files_have_at_most_500_lines() -> None:
    assert _too_long(_C, 500) == {}


def test_c_functions_have_at_most_80_lines() -> None:
    long, start = [], 0
    for (file, number), line in _lines(_C):
        if re.match(r"[A-Za-z].*[^;\\]$", line):
            start = number
        if line.startswith("}") and number - start >= 80:
            long.append((file, start))
    assert long == []


def test_modules_are_named_after_their_noun() -> None:
    names = [set(path.relative_to(ROOT).with_suffix("").parts) for path in _PACKAGE]
    assert [found for found in names if found & _FORBIDDEN_MODULES] == []


def test_no_function_imports_a_stage() -> None:
    """A local import would hide that two stages know each other."""
    imports = [
        (place, module)
        for place, function in _functions(_PACKAGE)
        for node in ast.walk(function)
        for module in _imported(node)
    ]
    assert [found for found in imports if found[1].startswith(_STAGES)] == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_open_points_name_an_issue() -> None:
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))")
    paths = [*_PYTHON, *_C, *tracked("*.j2")]
    assert [place for place, line in _lines(paths) if mark.search(line)] == []


def test_exceptions_to_checks_carry_a_code_and_a_reason() -> None:
    allowed = {
        "# type: ignore": r"# type: ignore\[[a-z-]+\]  # \w",
        "# noqa": r"# noqa: [A-Z]+\d+( -| --|  #) \w",
    }
    bare = [
        place
        for place, line in _lines(_PACKAGE)
        for mark, pattern in allowed.items()
        if mark in line and not re.search(pattern, line)
    ]
    assert bare == []
