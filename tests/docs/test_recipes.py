"""The recipes name what the code really has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from mcubnn.board import Board, Region


def test_board_recipe_lists_every_key(root: Path) -> None:
    page = (root / "docs" / "ADD_A_BOARD.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    keys = {f.name for part in (Board, Region) for f in dataclasses.fields(part)}
    assert listed - {"mcubnn_port_init", "mcubnn_port_read", "mcubnn_port_write"} >= keys - {
        "id",  # the file's name
        "regions",  # a table of its own
    }


def test_board_recipe_lists_every_function_of_a_port(root: Path) -> None:
    page = (root / "docs" / "ADD_A_BOARD.md").read_text(encoding="utf-8")
    header = (root / "runtime_c" / "port" / "port.h").read_text(encoding="utf-8")
    functions = re.findall(r"^\w+ (mcubnn_port_\w+)\(", header, re.MULTILINE)
    assert functions
    assert all(f"`{name}`" in page for name in functions)


def test_operator_recipe_shows_the_real_operator(root: Path) -> None:
    page = (root / "docs" / "ADD_AN_OPERATOR.md").read_text(encoding="utf-8")
    source = (root / "mcubnn" / "ops" / "defs" / "unpack_bits.py").read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    assert shown[1] in source


def test_contributing_names_make_targets_that_exist(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in ("CONTRIBUTING.md", "README.md"):
        named = re.findall(r"`make ([a-z ]+)`", (root / page).read_text(encoding="utf-8"))
        assert {t for names in named for t in names.split()} <= targets
