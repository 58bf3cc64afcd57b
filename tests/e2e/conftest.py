from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcubnn import pipeline
from mcubnn.build.firmware import build_host
from tests.e2e.command_line import Command, Outcome, run_command, write_model
from tests.e2e.zoo import Workshop


def _run_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run that the processes of pytest-xdist share."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled objects are kept for all builds of the test run."""
    return _run_folder(tmp_path_factory) / "objects"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, objects: Path) -> Workshop:
    models = _run_folder(tmp_path_factory) / "zoo_models"
    return Workshop(tmp_path_factory.mktemp("zoo"), models, objects)


@pytest.fixture(autouse=True, scope="session")
def platformio_packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Packages go to a folder of the test run, never to the developer's own."""
    folder = tmp_path_factory.getbasetemp() / "platformio"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORMIO_CORE_DIR", str(folder))
        yield


@pytest.fixture
def mcubnn(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    objects: Path,
) -> Command:
    """The command line, in an empty folder; builds for this computer share their objects."""
    monkeypatch.setattr(pipeline, "build_host", functools.partial(build_host, cache=objects))
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Outcome:
        return run_command(capsys, monkeypatch, *words)

    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "small.onnx")
