"""The wheel is complete: it works from an empty folder, without the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, tracked

_BUILD_DEADLINE_S = 300
_COMMAND_DEADLINE_S = 300
_RUN = "import sys; from mcubnn.cli import main; sys.argv[0] = 'mcubnn'; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    words = ["--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        timeout=_BUILD_DEADLINE_S,
        check=False,
    )
    if "No matching distribution found for hatchling" in done.stderr:
        pytest.skip("no package index within reach to get hatchling from")
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder of its own; its dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-deps", "--target", str(folder), str(wheel)], check=True)
    return folder


def _expected() -> set[str]:
    found = set()
    for path in tracked("mcubnn/*", "runtime_c/*", "boards/*"):
        name = path.relative_to(ROOT).as_posix()
        found.add(name if name.startswith("mcubnn/") else f"mcubnn/_data/{name}")
    return found


def test_wheel_holds_every_source_board_template_and_c_file(names: set[str]) -> None:
    assert _expected() - names == set()
    for suffix in ("model.onnx", "test.npz", "example.toml"):
        assert any(
            name.startswith("mcubnn/_data/examples/digits/") and name.endswith(suffix[-4:])
            for name in names
        )


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    others = {name for name in names if not name.startswith(("mcubnn/", "mcubnn-"))}
    assert others == set()
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert not [name for name in names if name.startswith(("mcubnn/tests", "mcubnn/_data/tests"))]


def _run(installed: Path, folder: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PLATFORMIO_CORE_DIR": str(folder.parent / "platformio"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=_COMMAND_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_installed_package_is_the_one_that_runs(installed: Path, empty: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    words = [sys.executable, "-c", "import mcubnn; print(mcubnn.__file__)"]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=empty, env=environment, check=True
    )
    assert Path(done.stdout.strip()).is_relative_to(installed)


def test_commands_work_from_an_empty_folder(installed: Path, empty: Path) -> None:
    boards = json.loads(_run(installed, empty, "boards", "--json"))
    assert {board["id"] for board in boards} >= {"host", "nucleo-f746", "qemu-mps2-an386"}
    inspected = json.loads(_run(installed, empty, "inspect", "--json"))
    assert inspected["model"] == "digits"
    assert list(empty.iterdir()) == []


def test_digits_validate_on_this_computer(installed: Path, empty: Path) -> None:
    found = json.loads(_run(installed, empty, "validate", "--limit", "50", "--json"))
    assert found["identical"] == found["images"] == 50


@pytest.mark.target
def test_digits_build_for_the_nucleo(installed: Path, empty: Path) -> None:
    report = json.loads(_run(installed, empty, "build", "--json"))
    assert report["board"] == "nucleo-f746"
    assert (empty / "build" / "digits-nucleo-f746" / "firmware" / "platformio.ini").is_file()
