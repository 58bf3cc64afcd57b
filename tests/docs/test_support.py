"""The README promises exactly what the importer and the boards' files offer."""

from __future__ import annotations

import re
from pathlib import Path

from mcubnn.board import list_boards
from mcubnn.frontend.rules import RULES
from mcubnn.frontend.tail import TAIL_NOTES

_ROW = re.compile(r"^\| ((?:`[\w-]+` ?)+) \|", re.MULTILINE)


def _first_column(page: str, heading: str) -> set[str]:
    """The names in backticks in the first column of the table with that heading."""
    table = page.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return {name for cell in _ROW.findall(table) for name in re.findall(r"`([\w-]+)`", cell)}


def test_operator_table_equals_the_importers_rules(root: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    assert _first_column(page, "ONNX operators") == {*RULES, *TAIL_NOTES}


def test_board_table_equals_the_board_files(root: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    assert _first_column(page, "board") == {board.id for board in list_boards()}
