"""`mcubnn profile`, and the Cortex-M0 board, through the command line."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from mcubnn.build.toolchain import ARM_GCC, QEMU
from tests.e2e.command_line import Command

pytestmark = [
    pytest.mark.target,
    pytest.mark.skipif(
        shutil.which(ARM_GCC) is None or shutil.which(QEMU) is None,
        reason=f"needs {ARM_GCC} and {QEMU}",
    ),
]


def _document(mcubnn: Command, *words: object) -> Any:
    outcome = mcubnn(*words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_digits_is_identical_on_the_cortex_m0(mcubnn: Command) -> None:
    found = _document(mcubnn, "validate", "--board", "qemu-microbit", "--limit", 40)
    assert (found["images"], found["identical"]) == (40, 40)
    assert found["runner"].endswith("microbit")


def test_profile_uses_an_emulated_board_with_the_core_of_the_build(mcubnn: Command) -> None:
    first = _document(mcubnn, "profile", "--limit", 3)
    assert (first["board"], first["cpu"], first["images"]) == ("qemu-mps2-an500", "cortex-m7", 3)
    assert first["unit"] == "instructions"
    assert first["origin"].endswith("-icount, mps2-an500; not cycles, not time")
    again = _document(mcubnn, "profile", "build/digits-qemu-mps2-an500", "--limit", 3)
    assert again == first
    total = first["total"]
    assert total["mean"] == pytest.approx(sum(row["mean"] for row in first["rows"]))
    assert total["per_32_macs"] == pytest.approx(32 * total["mean"] / total["macs"])


def test_this_computer_cannot_be_profiled(mcubnn: Command) -> None:
    outcome = mcubnn("profile", "--board", "host", "--limit", 1)
    outcome.assert_reported(6, "host has no counter", "qemu-mps2-an386")
