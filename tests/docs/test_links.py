"""Links between pages resolve, and pages that the code names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_NAMED = re.compile(r"\bdocs/[A-Za-z_-]+\.(?:md|py)\b")
_SKIPPED = {"build", "dist", "node_modules"}


def _pages() -> list[Path]:
    found = (
        p for folder in ("docs", "examples", "runtime_c") for p in (ROOT / folder).rglob("*.md")
    )
    own = (p for p in found if not _SKIPPED.intersection(p.parts))
    return sorted([*ROOT.glob("*.md"), *own])


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", _pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(linked), f"{page.name}: {target}"


def test_pages_named_in_sources_exist() -> None:
    sources = [
        *(ROOT / "mcubnn").rglob("*.py"),
        *(ROOT / "runtime_c").rglob("*.[ch]"),
        *_pages(),
    ]
    for source in sources:
        for name in _NAMED.findall(source.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{source.relative_to(ROOT)}: {name}"


_PATH = re.compile(r"`((?:mcubnn|runtime_c|tests|docs|boards|examples)/[\w./-]*\w)`")


@pytest.mark.parametrize("page", _pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_in_backticks_exist(page: Path) -> None:
    for name in _PATH.findall(page.read_text(encoding="utf-8")):
        includes = ROOT / "runtime_c" / "include"
        places = [ROOT / name, page.parent / name, includes / name]
        assert any(place.exists() for place in places), f"{page.name}: {name}"
