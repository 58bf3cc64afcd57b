import importlib.metadata
import json
import os
from pathlib import Path

import pytest

from mcubnn.build import scons
from mcubnn.errors import BuildError


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("tool", "pypi"), [("4.41101.0", "4.11.1"), ("4.40801.0", "4.8.1"), ("4.40400.0", "4.4.0")]
)
def test_pypi_version_is_unpacked_from_the_tool_version(tool: str, pypi: str) -> None:
    assert scons.pypi_version(tool) == pypi


def test_pinned_scons_is_the_one_platformio_asks_for() -> None:
    wanted = scons.pypi_version(scons.required_version())
    assert importlib.metadata.version("scons") == wanted


def test_provided_package_is_found_and_not_written_twice(core: Path) -> None:
    assert scons.installed_folder() is None
    folder = scons.provide_scons()
    assert folder == core / "packages" / "tool-scons"
    assert scons.installed_folder() == folder
    stamp = (folder / "scons.py").stat().st_mtime_ns
    assert scons.provide_scons() == folder
    assert (folder / "scons.py").stat().st_mtime_ns == stamp
    assert os.listdir(core / "packages") == ["tool-scons"]  # noqa: PTH208 - names only


def test_other_version_of_the_user_is_left_alone(core: Path) -> None:
    own = core / "packages" / "tool-scons"
    own.mkdir(parents=True)
    (own / ".piopm").write_text(json.dumps({"version": "4.40400.0"}))
    folder = scons.provide_scons()
    assert folder.name == f"tool-scons@{scons.required_version()}"
    assert [path.name for path in own.iterdir()] == [".piopm"]


@pytest.mark.usefixtures("core")
def test_wrong_scons_is_an_error_with_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "4.8.1")
    with pytest.raises(BuildError, match=r"found 4\.8\.1") as caught:
        scons.provide_scons()
    assert caught.value.hint == "pip install scons==4.11.1"
