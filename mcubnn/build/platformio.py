"""The PlatformIO project: which files it has, and running `pio run` in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mcubnn import resources
from mcubnn.artifacts import CProgram
from mcubnn.board import Board
from mcubnn.build.folder import digest, write_folder
from mcubnn.build.process import last_lines, run_logged
from mcubnn.build.scons import provide_scons
from mcubnn.build.toolchain import Tool
from mcubnn.errors import BuildError

PLATFORM_NAME = "mcubnn_baremetal"
_DEADLINE_S = 600.0
_SOURCE_SUFFIXES = {".c", ".h", ".S"}


def project_texts(program: CProgram, project: Mapping[str, str], board: Board) -> dict[str, str]:
    """All files of the project: text by name, relative to its folder.

    Args:
        program: the generated model.
        project: the generated board files (`codegen.project.project_files`).
        board: target.
    """
    runtime = resources.runtime_dir()
    texts = dict(project)
    texts |= {f"lib/{program.prefix}/{name}": text for name, text in program.files.items()}
    texts |= _sources(runtime / "include", "lib/mcubnn/include")
    texts |= _sources(runtime / "src", "lib/mcubnn/src")
    library = runtime / "library.json"
    if library.is_file():
        texts["lib/mcubnn/library.json"] = library.read_text(encoding="utf-8")
    texts |= _sources(runtime / "firmware", "src")
    texts |= _sources(runtime / "port" / "cortex_m", "src/port")
    texts |= _sources(runtime / "port" / board.port, "src/port")
    texts["src/port/port.h"] = (runtime / "port" / "port.h").read_text(encoding="utf-8")
    platform = resources.platform_dir()
    for path in _files(platform):
        name = path.relative_to(platform).as_posix()
        texts[f"platforms/{PLATFORM_NAME}/{name}"] = path.read_text(encoding="utf-8")
    return texts


def build_project(texts: Mapping[str, str], board_id: str, folder: Path, compiler: Tool) -> Path:
    """Write the project and run PlatformIO; does nothing if the image is up to date.

    Returns:
        The ELF file.

    Raises:
        BuildError: PlatformIO failed; the message has its last lines and the log's path.
        UsageError: the folder holds something that mcubnn did not write.
    """
    output = folder / ".pio"
    if write_folder(texts, folder):
        shutil.rmtree(output, ignore_errors=True)  # objects of files that are gone
    image = output / "build" / board_id / "firmware.elf"
    stamp = output / "mcubnn.stamp"
    state = f"{digest(texts)} {compiler.path} {compiler.version}\n"
    if image.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == state:
        return image
    stamp.unlink(missing_ok=True)
    provide_scons()
    log = folder / "build.log"
    command = [sys.executable, "-m", "platformio", "run", "--project-dir", str(folder.resolve())]
    run_logged(command, log, _DEADLINE_S, env=_environment())
    if not image.is_file():
        msg = f"PlatformIO succeeded but wrote no {image}\n{last_lines(log)}\nlog: {log}"
        raise BuildError(msg, "delete the folder and build again")
    stamp.write_text(state, encoding="utf-8")
    return image


def _environment() -> dict[str, str]:
    """The user's environment without options for PlatformIO, and nothing that needs a network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PLATFORMIO_") or name == "PLATFORMIO_CORE_DIR"
    }
    return kept | {
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "No",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_NO_ANSI": "true",
    }


def _sources(folder: Path, target: str) -> dict[str, str]:
    return {
        f"{target}/{path.relative_to(folder).as_posix()}": path.read_text(encoding="utf-8")
        for path in _files(folder)
        if path.suffix in _SOURCE_SUFFIXES
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
