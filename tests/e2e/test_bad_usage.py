"""Options, data files, budgets, folders and tools that are wrong: code, message, nothing left."""

from __future__ import annotations

import functools
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcubnn.build import toolchain
from mcubnn.ir.types import Array
from tests.e2e.command_line import Command, write_data


def _assert_nothing_written() -> None:
    assert [p for p in Path.cwd().rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("command", ["build", "run", "validate"])
@pytest.mark.parametrize(
    ("board", "patterns"),
    [
        ("nucleo-f764", ("no such board", "did you mean nucleo-f746")),
        ("qemu-mps2-an358", ("no such board", "qemu-mps2-an38")),
        ("toaster\n\x1b[31m", ("no such board", "allowed: host")),
        ("../host", ("no such board",)),
    ],
)
def test_unknown_board_offers_the_nearest(
    command: str, board: str, patterns: tuple[str, ...], mcubnn: Command, model: Path
) -> None:
    outcome = mcubnn(command, model, "--board", board)
    outcome.assert_reported(2, *patterns)
    assert "\x1b[31m" not in outcome.err
    _assert_nothing_written()


@pytest.mark.parametrize(
    ("words", "patterns"),
    [
        (("--mean", "0.1,0.2,0.3"), (r"--mean has 3 values", "2 channels")),
        (("--mean", "a"), ("--mean: 'a' is not a number",)),
        (("--std", "0"), ("must not be 0",)),
        (("--std", "nan"), ("not a number",)),
        (("--input-scale", "1/0"), ("--input-scale: '1/0'",)),
        (("--input-scale", "1e999"), ("not a number",)),
        (("--input-scale", "1e999999999"), ("not a number",)),
        (("--std", "1/1e-999999999"), ("--std: '1/1e-999999999' is not a number",)),
        (("--input-type", "float32"), ("--input-type",)),
        (("--budget", "flash=lots"), ("cannot read 'flash=lots'",)),
        (("--budget", "rom=1K"), ("flash=512K,ram=64K",)),
        (("--calibrate", "nowhere.npz"), ("nowhere.npz does not exist",)),
        (("--wrong",), ("No such option",)),
    ],
)
def test_unusable_option_is_named(
    words: tuple[str, ...], patterns: tuple[str, ...], mcubnn: Command, model: Path
) -> None:
    mcubnn("build", model, "--board", "host", *words).assert_reported(2, *patterns)
    _assert_nothing_written()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--board", ""), "--board"),
        (("--board=",), "--board"),
        (("--out", ""), "--out"),
        (("--dump-ir", "", "--board", "host"), "--dump-ir"),
        (("--mean", ""), "--mean"),
        (("-b", ""), "-b"),
        (("",), "an argument"),
    ],
)
def test_empty_value_is_not_a_default(
    words: tuple[str, ...], named: str, mcubnn: Command, model: Path
) -> None:
    """A shell variable that is not set."""
    mcubnn("build", model, *words).assert_reported(2, f"{named}: the value is empty")
    _assert_nothing_written()


@pytest.mark.parametrize("limit", ["0", "-3", "many"])
def test_limit_must_be_a_count(limit: str, mcubnn: Command, model: Path) -> None:
    outcome = mcubnn("run", model, "--board", "host", "--limit", limit)
    outcome.assert_reported(2, "Invalid value for '--limit'")


@pytest.mark.parametrize(
    ("budget", "patterns"),
    [
        ("ram=1K", (r"RAM: [\d,]+ bytes needed, 1,024 available \(--budget\)",)),
        ("flash=16", (r"flash: \d+ bytes needed, 16 available", "node_z")),
        ("flash=1,ram=1", ("largest consumers",)),
    ],
)
def test_budget_names_the_largest_consumers(
    budget: str, patterns: tuple[str, ...], mcubnn: Command, model: Path
) -> None:
    outcome = mcubnn("build", model, "--board", "qemu-mps2-an385", "--budget", budget)
    outcome.assert_reported(4, "largest consumers", *patterns)
    _assert_nothing_written()


@pytest.mark.target
def test_budget_of_the_linked_image_leaves_no_folder(mcubnn: Command, model: Path) -> None:
    """The weights fit, the code does not."""
    outcome = mcubnn("build", model, "--board", "qemu-mps2-an385", "--budget", "flash=3K")
    outcome.assert_reported(4, "largest consumers")
    _assert_nothing_written()


def test_folder_that_is_no_build_is_not_touched(
    mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "thesis"
    taken.mkdir()
    (taken / "chapter1.txt").write_text("precious")
    outcome = mcubnn("build", model, "--board", "host", "--out", taken)
    outcome.assert_reported(2, "thesis: exists and is not a build", "choose another folder")
    assert [p.name for p in taken.iterdir()] == ["chapter1.txt"]


@pytest.mark.parametrize("place", ["file", "below_file"])
def test_file_in_the_way_of_the_build_folder_is_reported(
    place: str, mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "notes.txt"
    taken.write_text("precious")
    out = taken if place == "file" else taken / "build"
    mcubnn("build", model, "--board", "host", "--out", out).assert_reported(2, "notes.txt")
    assert taken.read_text() == "precious"


def test_unwritable_results_are_reported(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz")
    outcome = mcubnn("validate", model, "--data", data, "--junit", tmp_path / "no" / "junit.xml")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert "junit.xml" in outcome.err
    mcubnn("build", model, "--board", "host", "--dump-ir", data).assert_reported(2, "data.npz")


_DATA: tuple[tuple[str, dict[str, Array], tuple[str, ...]], ...] = (
    ("shape", {"images": np.zeros((3, 5, 5), np.uint8)}, (r"reads uint8 \[N, 3, 3, 2\]",)),
    ("dtype", {"images": np.zeros((3, 2, 3, 3), np.float32)}, ("expected uint8; found float32",)),
    ("int8", {"images": np.zeros((3, 2, 3, 3), np.int8)}, ("expected uint8; found int8",)),
    ("int16", {"images": np.zeros((3, 2, 3, 3), np.int16)}, ("--input-type int8",)),
    ("float labels", {"labels": np.zeros(2)}, (r"found float64 \[2\]", r"labels.astype\(int\)")),
    ("one-hot", {"labels": np.eye(4)[:2]}, (r"found float64 \[2, 4\]", "argmax")),
    ("label", {"labels": np.array([0, 4])}, (r"classes 0..3; found 4 for image 1",)),
    ("negative", {"labels": np.array([-1, 3])}, ("found -1 for image 0",)),
    ("count", {"labels": np.array([1, 2, 3])}, ("one per image", "in the images' order")),
    ("none", {"images": np.zeros((0, 2, 3, 3), np.uint8)}, ("holds no image",)),
)


@pytest.mark.parametrize("row", _DATA, ids=[row[0] for row in _DATA])
def test_data_that_does_not_fit_is_reported(
    row: tuple[str, dict[str, Array], tuple[str, ...]],
    mcubnn: Command,
    model: Path,
    tmp_path: Path,
) -> None:
    _, arrays, patterns = row
    path = tmp_path / "bad.npz"
    whole: dict[str, Any] = {"images": np.zeros((2, 2, 3, 3), np.uint8)} | arrays
    np.savez(path, **whole)
    for command in ("run", "validate"):
        outcome = mcubnn(command, model, "--board", "host", "--data", path)
        outcome.assert_reported(2, "bad.npz", *patterns)


def test_data_that_is_no_archive_is_reported(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(b"nothing")
    mcubnn("run", model, "--board", "host", "--data", path).assert_reported(2, "cannot be read")


@pytest.mark.parametrize("option", ["model", "--data", "--calibrate"])
def test_pipe_is_not_read(option: str, mcubnn: Command, model: Path, tmp_path: Path) -> None:
    """Nobody writes to it: reading would wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if option == "model":
        mcubnn("build", pipe, "--board", "host").assert_reported(3, "pipe: not a regular file")
        return
    command = "run" if option == "--data" else "build"
    outcome = mcubnn(command, model, "--board", "host", option, pipe)
    outcome.assert_reported(2, "pipe: not a regular file")


def test_device_is_not_read(mcubnn: Command) -> None:
    mcubnn("build", "/dev/zero").assert_reported(3, "/dev/zero: not a regular file")


def test_port_of_this_computer_is_refused(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz")
    words = ("run", model, "--board", "host", "--data", data, "--port", "/dev/ttyACM0")
    mcubnn(*words).assert_reported(2, "--port /dev/ttyACM0: .* has no port", "--board")


def test_data_is_required_for_a_network_of_ones_own(mcubnn: Command, model: Path) -> None:
    mcubnn("run", model, "--board", "host").assert_reported(2, "--data is missing")


def test_data_is_asked_for_by_content_and_before_a_build(
    mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    """The built-in network's own test set fits no other network of its name."""
    digits = model.rename(tmp_path / "digits.onnx")
    outcome = mcubnn("run", digits, "--board", "host")
    outcome.assert_reported(2, "--data is missing")
    _assert_nothing_written()


def test_full_disk_is_reported_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000))
    words = ("build", model, "--board", "nucleo-f746", "--out", tmp_path / "made")
    done = _run_process(*words, preexec_fn=limit)
    assert done.returncode == 2
    assert "error: cannot write: File too large\nhint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("words", [("boards",), ("boards", "--json")])
def test_full_output_is_reported(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = _run_process(*words, stdout=full)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write: No space left on device\nhint:")
    assert done.stderr.count("\n") == 2


def _run_process(*words: object, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mcubnn", *(str(word) for word in words)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    return subprocess.run(command, text=True, check=False, timeout=60, **streams)


@pytest.mark.parametrize("board", ["nucleo-f746", "host"])
def test_missing_compiler_says_how_to_get_it(
    board: str,
    mcubnn: Command,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("CC", raising=False)
    toolchain._inspect.cache_clear()
    outcome = mcubnn("build", model, "--board", board)
    outcome.assert_reported(5, "mcubnn setup", "install")
    _assert_nothing_written()


def test_broken_compiler_shows_its_last_words(
    mcubnn: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    fake = folder / "gcc"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo fake 1.0 && exit\necho boom >&2; exit 3\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{Path('/usr/bin')}:{Path('/bin')}")
    monkeypatch.delenv("CC", raising=False)
    outcome = mcubnn("build", model, "--board", "host")
    outcome.assert_reported(5, "boom")
    assert not list(Path.cwd().rglob("build.json"))


@pytest.mark.parametrize("command", ["run", "validate", "report"])
def test_folder_that_is_no_build_is_reported(command: str, mcubnn: Command, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    mcubnn(command, folder).assert_reported(2, "other: not a build folder")


@pytest.mark.parametrize(
    "damage", ["build.json", "graph.json", "graph.npz", "source.onnx", "no board", "list", "board"]
)
def test_damaged_build_is_reported(
    damage: str, mcubnn: Command, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    assert mcubnn("build", model, "--board", "host", "--out", folder).code == 0
    marker = folder / "build.json"
    document = json.loads(marker.read_text())
    if damage in {"no board", "board"}:
        document = document | {"board": 7}
        if damage == "no board":
            del document["board"]
        marker.write_text(json.dumps(document))
    elif damage == "list":
        marker.write_text("[1]")
    elif damage == "source.onnx":
        (folder / damage).unlink()
    else:
        (folder / damage).write_bytes((folder / damage).read_bytes()[:40])
    data = write_data(tmp_path / "data.npz")
    mcubnn("run", folder, "--data", data).assert_reported(2, "made|board")


def test_damaged_report_is_reported(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert mcubnn("build", model, "--board", "host", "--out", folder).code == 0
    for text in ("", "[]", '{"layers": 3}', '{"layers": [1]}'):
        (folder / "report.json").write_text(text)
        mcubnn("report", folder).assert_reported(2, "no readable report")
    shutil.rmtree(folder)
    mcubnn("report").assert_reported(2, "no build folder given")
