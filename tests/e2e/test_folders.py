"""Build folders: awkward names, inside and beside one, and builds that fail or are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from onnx import numpy_helper

from tests.e2e.command_line import Command, write_data
from tests.unit.frontend.onnx_models import binary_dense


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


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.target
def test_failed_rebuild_leaves_the_build_as_it_was(
    mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    network = binary_dense()
    for tensor in network.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    other = tmp_path / "other.onnx"
    other.write_bytes(network.SerializeToString())
    folder, board = tmp_path / "made", ("--board", "qemu-mps2-an385")
    assert mcubnn("build", model, *board, "--out", folder).code == 0
    before = _contents(folder)
    outcome = mcubnn("build", other, *board, "--out", folder, "--budget", "flash=3K")
    outcome.assert_reported(4, "largest consumers")
    assert _contents(folder) == before
    assert mcubnn("build", other, *board, "--out", folder).code == 0
    assert sorted(path.name for path in (folder / "firmware/lib").iterdir()) == ["mcubnn", "other"]


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_build_that_was_ended_can_be_repeated(
    kill: signal.Signals, mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    folder, compiler = tmp_path / "made", tmp_path / "cc"
    started = tmp_path / "started"
    compiler.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo fake 1.0 && exit\ntouch {started}\nsleep 1\n'
    )
    compiler.chmod(0o755)
    words = ["-m", "mcubnn", "build", str(model), "--board", "host", "--out", str(folder)]
    process = subprocess.Popen([sys.executable, *words], env={**os.environ, "CC": str(compiler)})
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(kill)
    code = process.wait(30)
    assert code == (-kill if kill == signal.SIGKILL else 128 + kill)
    assert folder.exists() == (kill == signal.SIGKILL)
    outcome = mcubnn("build", model, "--board", "host", "--out", folder)
    assert outcome.code == 0, outcome.err
