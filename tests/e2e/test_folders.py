"""Folders with names that shells and linkers trip over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command_line import Command, write_data


@pytest.mark.target
def test_firmware_builds_and_runs_in_a_folder_with_an_awkward_name(
    mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / 'my nets (ü), 100%s; & "o\'clock"'
    outcome = mcubnn("build", model, "--board", "qemu-mps2-an385", "--out", folder)
    assert outcome.code == 0, outcome.err
    data = write_data(tmp_path / "some data.npz")
    outcome = mcubnn("validate", folder, "--board", "qemu-mps2-an385", "--data", data)
    assert outcome.code == 0, outcome.err
    assert "6 of 6" in outcome.out
