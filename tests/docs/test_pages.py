"""What README and tutorial tell the reader to type works and prints what they say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest


@pytest.mark.target
@pytest.mark.parametrize("name", ["README.md", "docs/TUTORIAL.md"])
def test_page_commands_print_what_it_says(
    name: str, transcripts: ModuleType, root: Path, tmp_path: Path
) -> None:
    page = (root / name).read_text(encoding="utf-8")
    shown = 0
    for block, printed in transcripts.run_page(page, tmp_path):
        expected, found = transcripts.wording(block.text), transcripts.wording(printed)
        assert found == expected, f"run: python docs/transcripts.py {name}"
        shown += 1
    assert shown


def test_readme_shows_the_commands_of_make_demo(transcripts: ModuleType, root: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    shown = " && ".join(b.value for b in transcripts.blocks(page) if b.key == "shows")
    recipe = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    commands = re.findall(r"^\S*/(mcubnn (?:build|validate|run).*)$", recipe, re.MULTILINE)
    assert [c.replace(" > /dev/null", "") for c in shown.split(" && ")] == commands


def test_blocks_that_are_not_run_say_why(transcripts: ModuleType, root: Path) -> None:
    for path in (root / "README.md", root / "docs" / "TUTORIAL.md"):
        for block in transcripts.blocks(path.read_text(encoding="utf-8")):
            if block.key == "not run":
                assert len(block.value) > 10, f"{path.name}: {block.text}"


def test_wording_ignores_numbers_and_versions_only(transcripts: ModuleType) -> None:
    first = transcripts.wording("net (970bee9c)  1,024 B\ncompiler: gcc 12 (Debian)\n")
    assert first == transcripts.wording("net (0123abcd) 7 B\ncompiler: clang\n")
    assert first != transcripts.wording("net (970bee9c) 1,024 words\ncompiler: gcc\n")


def test_failing_command_is_reported(transcripts: ModuleType, tmp_path: Path) -> None:
    page = "```sh\necho broken >&2; false\n```\n"
    with pytest.raises(transcripts.TranscriptError, match="broken"):
        list(transcripts.run_page(page, tmp_path))
