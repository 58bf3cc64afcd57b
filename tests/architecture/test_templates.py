"""Templates only print: no arithmetic, comparison, assignment or macro in any of them."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from tests.architecture.sources import tracked

_LOGIC = (
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    *(nodes.Compare, nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.CallBlock),
    *(nodes.Neg, nodes.And, nodes.Or, nodes.CondExpr),
)


@pytest.mark.parametrize("path", tracked("mcubnn/*.j2"), ids=lambda path: path.name)
def test_template_has_no_logic(path: Path) -> None:
    tree = jinja2.Environment(autoescape=False).parse(path.read_text(encoding="utf-8"))
    found = [type(node).__name__ for kind in _LOGIC for node in tree.find_all(kind)]
    assert found == []


def test_there_are_templates() -> None:
    assert len(tracked("mcubnn/*.j2")) >= 5
