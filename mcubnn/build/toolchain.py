"""Finding compilers and other tools on this computer, and saying how to get the missing ones."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcubnn.errors import BuildError

ARM_GCC = "arm-none-eabi-gcc"
QEMU = "qemu-system-arm"
OPENOCD = "openocd"
_VERSION_DEADLINE_S = 30.0

_APT_PACKAGES: Mapping[str, tuple[str, ...]] = {
    ARM_GCC: ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi"),
    QEMU: ("qemu-system-arm",),
    "cc": ("gcc", "libc6-dev"),
    OPENOCD: ("openocd",),
}
_BREW_ARGUMENTS: Mapping[str, str] = {
    ARM_GCC: "--cask gcc-arm-embedded",
    QEMU: "qemu",
    "cc": "gcc",
    OPENOCD: "open-ocd",
}


@dataclass(frozen=True)
class Tool:
    """An installed program.

    Attributes:
        path: where it is.
        version: first line of what `--version` prints.
    """

    path: Path
    version: str


def find_tool(name: str) -> Tool | None:
    """The program from PATH, or None if it is missing or does not run."""
    found = shutil.which(name)
    return None if found is None else _inspect(found)


def find_host_compiler() -> Tool | None:
    """The C compiler for this computer: `$CC`, else gcc, clang or cc."""
    names = [os.environ.get("CC", ""), "gcc", "clang", "cc"]
    return next((tool for name in names if name and (tool := find_tool(name))), None)


def require_arm_gcc() -> Tool:
    """The cross compiler.

    Raises:
        BuildError: it is missing.
    """
    tool = find_tool(ARM_GCC)
    if tool is None:
        msg = f"{ARM_GCC} is not in PATH; it compiles for the board"
        raise BuildError(msg, f"run `mcubnn setup`, or: {how_to_get(ARM_GCC)}")
    return tool


def require_host_compiler() -> Tool:
    """The C compiler for this computer.

    Raises:
        BuildError: there is none.
    """
    tool = find_host_compiler()
    if tool is None:
        msg = "no C compiler for this computer; looked for $CC, gcc, clang and cc in PATH"
        raise BuildError(msg, f"run `mcubnn setup`, or: {how_to_get('cc')}")
    return tool


def has_newlib(arm_gcc: Tool) -> bool:
    """Whether the cross compiler has its C library; Debian packages it separately."""
    command = [str(arm_gcc.path), "-print-file-name=nano.specs"]
    output = subprocess.run(
        command, capture_output=True, text=True, timeout=_VERSION_DEADLINE_S, check=False
    )
    return Path(output.stdout.strip()).is_absolute()


def how_to_get(name: str) -> str:
    """A shell command that installs the tool on this computer."""
    if sys.platform == "darwin":
        return f"brew install {_BREW_ARGUMENTS[name]}"
    command = " ".join(apt_command((name,)))
    return command if os.geteuid() == 0 else f"sudo {command}"


def apt_command(names: tuple[str, ...]) -> list[str]:
    """The command that installs the tools on Debian and Ubuntu, without sudo."""
    packages = [package for name in names for package in _APT_PACKAGES[name]]
    return ["apt-get", "install", "--yes", "--no-install-recommends", *packages]


@functools.cache
def _inspect(path: str) -> Tool | None:
    try:
        output = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (output.stdout or output.stderr).splitlines()
    return Tool(Path(path), lines[0].strip()) if output.returncode == 0 and lines else None
