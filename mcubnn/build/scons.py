"""Gives PlatformIO its build tool from the Python package `scons`, without a download.

PlatformIO runs `<core dir>/packages/tool-scons/scons.py` and would fetch that package from its
registry. The registry's package is SCons as it is on PyPI, under a version number that packs
SCons's own: 4.11.1 becomes 4.41101.0.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from pathlib import Path

from mcubnn.errors import BuildError

_START_SCRIPT = '''"""Start SCons from this folder; PlatformIO runs this file."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import SCons.Script

SCons.Script.main()
'''


def core_dir() -> Path:
    """PlatformIO's folder for packages: `$PLATFORMIO_CORE_DIR`, else `~/.platformio`."""
    return Path(os.environ.get("PLATFORMIO_CORE_DIR") or Path.home() / ".platformio")


def required_version() -> str:
    """Version of `tool-scons` that the installed PlatformIO asks for, such as `4.41101.0`.

    Raises:
        BuildError: PlatformIO is missing or too old to say.
    """
    try:
        dependencies = importlib.import_module("platformio.dependencies")
        requirement = str(dependencies.get_core_dependencies()["tool-scons"])
    except (ImportError, AttributeError, KeyError) as error:
        msg = f"PlatformIO cannot be used: {error}"
        raise BuildError(msg, "pip install 'platformio>=6.2,<6.3'") from error
    return requirement.lstrip("~^=")


def pypi_version(tool_version: str) -> str:
    """SCons's own version: `4.41101.0` is `4.11.1`."""
    major, packed = tool_version.split(".")[:2]
    digits = packed.removeprefix(major)
    return f"{major}.{int(digits[:-2])}.{int(digits[-2:])}"


def installed_folder() -> Path | None:
    """Where a fitting `tool-scons` is installed, or None."""
    wanted = required_version()
    for folder in (core_dir() / "packages").glob("tool-scons*"):
        if _version(folder) == wanted and (folder / "scons.py").is_file():
            return folder
    return None


def provide_scons() -> Path:
    """Make sure that PlatformIO finds its build tool; other packages are left alone.

    Raises:
        BuildError: the Python package `scons` is missing or has another version.
    """
    present = installed_folder()
    if present is not None:
        return present
    version = required_version()
    source = _package_source(pypi_version(version))
    packages = core_dir() / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    target = packages / "tool-scons"
    if target.exists():  # another version, of the user's own
        target = packages / f"tool-scons@{version}"
    partial = Path(tempfile.mkdtemp(prefix="mcubnn-partial-", dir=packages))
    try:
        shutil.copytree(
            source, partial / "SCons", ignore=shutil.ignore_patterns("__pycache__", "*Tests.py")
        )
        _write_package_files(partial, version)
        partial.chmod(0o755)  # mkdtemp makes it private
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        present = installed_folder()  # another process may have been faster
        if present is not None:
            return present
        msg = f"cannot write PlatformIO's build tool to {target}: {error}"
        raise BuildError(msg, "make the folder writable, or set PLATFORMIO_CORE_DIR") from error
    return target


def _package_source(wanted: str) -> Path:
    hint = f"pip install scons=={wanted}"
    try:
        found = importlib.metadata.version("scons")
        module = importlib.import_module("SCons")
    except ImportError as error:
        msg = "the Python package scons, PlatformIO's build tool, is not installed"
        raise BuildError(msg, hint) from error
    if found != wanted:
        msg = f"PlatformIO needs scons {wanted}; found {found}"
        raise BuildError(msg, hint)
    return Path(str(module.__file__)).parent


def _version(folder: Path) -> str:
    try:
        metadata = json.loads((folder / ".piopm").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(metadata.get("version", "")) if isinstance(metadata, dict) else ""


def _write_package_files(folder: Path, version: str) -> None:
    package = {
        "name": "tool-scons",
        "version": version,
        "description": f"SCons {pypi_version(version)} from PyPI, provided by mcubnn",
        "license": "MIT",
        "system": "*",
    }
    spec = {
        "owner": "platformio",
        "id": None,
        "name": "tool-scons",
        "requirements": None,
        "uri": None,
    }
    metadata = {"type": "tool", "name": "tool-scons", "version": version, "spec": spec}
    (folder / "scons.py").write_text(_START_SCRIPT, encoding="utf-8")
    (folder / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    (folder / ".piopm").write_text(json.dumps(metadata), encoding="utf-8")
    (folder / ".piokeep").touch()  # PlatformIO's clean-up must not remove it
