"""The built-in network on every emulated board: all test images, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcubnn.board import list_boards
from tests.e2e.command_line import Command

_EMULATED = [board.id for board in list_boards() if board.runner == "qemu"]
_TEST_IMAGES = 719


@pytest.mark.target
@pytest.mark.parametrize("board", _EMULATED)
def test_digits_on_an_emulated_board(board: str, mcubnn: Command) -> None:
    outcome = mcubnn("validate", "--board", board, "--min-accuracy", 0.96, "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["images"], found["identical"]) == (_TEST_IMAGES, _TEST_IMAGES)
    assert found["accuracy"] >= 0.96
    assert found["float_agreement"] >= 0.99
    assert found["runner"].startswith("QEMU")


@pytest.mark.target
def test_digits_fit_the_nucleo_with_a_footprint_table(mcubnn: Command) -> None:
    outcome = mcubnn("build", "--json")
    assert outcome.code == 0, outcome.err
    figures = {f["name"]: f for f in json.loads(outcome.out)["figures"]}
    for name in ("total flash", "total RAM with stack"):
        assert 0 < figures[name]["value"] < figures[name]["limit"]
    assert (Path.cwd() / "build" / "digits-nucleo-f746" / "build.json").is_file()


def test_digits_on_this_computer(mcubnn: Command) -> None:
    found = json.loads(mcubnn("validate", "--json").out)
    assert found["identical"] == found["images"] == _TEST_IMAGES
    assert found["accuracy"] >= 0.96
