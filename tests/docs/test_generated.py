"""Pages written from the code are those the code would write now."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest


@pytest.mark.parametrize("name", ["cli.md", "operators.md", "boards.md"])
def test_generated_page_is_up_to_date(name: str, generator: ModuleType, root: Path) -> None:
    written = (root / "docs" / name).read_text(encoding="utf-8")
    assert written == generator.pages()[name], "run: python docs/generate.py"


def test_every_page_is_checked(generator: ModuleType) -> None:
    assert set(generator.pages()) == {"cli.md", "operators.md", "boards.md"}
