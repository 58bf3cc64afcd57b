"""Folders with names that shells and linkers trip over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command_line import Command, write_data


def test_commands_work_inside_the_build_folder(
    mcubnn: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_data(tmp_path / "data.npz")
    folder = tmp_path / "builds" / "mine"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    mcubnn(
        "build", model, "--board", "nucleo-f746", "--budget", "flash=1", "-o", "."
    ).assert_reported(4)
    outcome = mcubnn("build", model, "--board", "host", "--out", ".")
    assert outcome.code == 0, outcome.err
    outcome = mcubnn("validate", ".", "--data", data)
    assert outcome.code == 0, outcome.err
    assert "6 of 6" in outcome.out


@pytest.mark.target
def test_build_for_another_board_lands_beside_the_folder_it_is_run_in(
    mcubnn: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_data(tmp_path / "data.npz")
    folder = tmp_path / "builds" / "mine"
    assert mcubnn("build", model, "--board", "host", "--out", folder).code == 0
    monkeypatch.chdir(folder)
    outcome = mcubnn("run", ".", "--board", "qemu-mps2-an385", "--data", data)
    assert outcome.code == 0, outcome.err
    made = sorted(path.name for path in folder.parent.iterdir())
    assert made == ["mine", "small-qemu-mps2-an385"]


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
