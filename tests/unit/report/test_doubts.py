"""A validation that disagrees with the framework shows what the compiler knew about the model."""

from __future__ import annotations

import pytest
from rich.console import Console

from mcubnn.artifacts import Comparison
from mcubnn.report.text import comparison_view


@pytest.mark.parametrize(("agreement", "shown"), [(0.0, True), (0.9, True), (1.0, False)])
def test_notes_appear_where_classes_differ(agreement: float, shown: bool) -> None:
    found = Comparison(10, 10, None, 0.5, agreement, "onnxruntime", "host", 0.1, ("conv: int8",))
    console = Console(width=80)
    with console.capture() as capture:
        console.print(comparison_view(found))
    assert ("conv: int8" in capture.get()) == shown
