"""What mcubnn needs from this computer: what is there, and installing what is not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mcubnn.build import scons, toolchain
from mcubnn.build.process import run_logged
from mcubnn.errors import BuildError

_INSTALL_DEADLINE_S = 1800.0


@dataclass(frozen=True)
class Check:
    """One tool.

    Attributes:
        name: of the tool.
        found: whether it can be used.
        version: what it says about itself; empty if it was not found.
        needed_for: what does not work without it.
        how_to_get: a command; empty if it was found.
        required: whether building or running on the emulator needs it.
    """

    name: str
    found: bool
    version: str
    needed_for: str
    how_to_get: str
    required: bool = True


def diagnose() -> list[Check]:
    """Look for every tool; nothing is changed."""
    return [
        _program(toolchain.ARM_GCC, "compiling for a board"),
        _newlib(),
        _program(toolchain.QEMU, "running on an emulated board"),
        _host_compiler(),
        _package("platformio", "building the firmware project"),
        _scons(),
        _program(toolchain.OPENOCD, "flashing a board", required=False),
    ]


def setup(log: Path, report: Callable[[str], None]) -> list[Check]:
    """Install what is required and missing, without questions.

    System packages are installed with apt-get where that works without a password, which is as
    root or with passwordless sudo. PlatformIO gets its build tool. The rest is only named.

    Args:
        log: gets the output of the package manager.
        report: called with one line per step.

    Returns:
        What `diagnose` finds afterwards.

    Raises:
        BuildError: a step failed.
    """
    missing = _missing_programs()
    prefix = _apt_prefix()
    if missing and prefix is None:
        for name in missing:
            report(f"install it yourself: {toolchain.how_to_get(name)}")
    if missing and prefix is not None:
        report(f"installing {', '.join(missing)} with apt-get")
        run_logged([*prefix, "apt-get", "update"], log, _INSTALL_DEADLINE_S)
        run_logged([*prefix, *toolchain.apt_command(missing)], log, _INSTALL_DEADLINE_S)
    report(f"PlatformIO's build tool: {scons.provide_scons()}")
    return diagnose()


def _missing_programs() -> tuple[str, ...]:
    missing = []
    arm_gcc = toolchain.find_tool(toolchain.ARM_GCC)
    if arm_gcc is None or not toolchain.has_newlib(arm_gcc):
        missing.append(toolchain.ARM_GCC)
    if toolchain.find_tool(toolchain.QEMU) is None:
        missing.append(toolchain.QEMU)
    if toolchain.find_host_compiler() is None:
        missing.append("cc")
    return tuple(missing)


def _apt_prefix() -> list[str] | None:
    """What to put before apt-get, or None if this computer has no apt-get or needs a password."""
    if not sys.platform.startswith("linux") or shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if shutil.which("sudo") is not None else None


def _program(name: str, needed_for: str, *, required: bool = True) -> Check:
    tool = toolchain.find_tool(name)
    if tool is None:
        return Check(name, False, "", needed_for, toolchain.how_to_get(name), required)
    return Check(name, True, tool.version, needed_for, "", required)


def _newlib() -> Check:
    arm_gcc = toolchain.find_tool(toolchain.ARM_GCC)
    found = arm_gcc is not None and toolchain.has_newlib(arm_gcc)
    how = "" if found else toolchain.how_to_get(toolchain.ARM_GCC)
    return Check("newlib", found, "nano.specs" if found else "", "linking for a board", how)


def _host_compiler() -> Check:
    tool = toolchain.find_host_compiler()
    needed_for = "checking results on this computer"
    if tool is None:
        return Check("C compiler", False, "", needed_for, toolchain.how_to_get("cc"))
    return Check("C compiler", True, tool.version, needed_for, "")


def _package(name: str, needed_for: str) -> Check:
    try:
        return Check(name, True, version(name), needed_for, "")
    except PackageNotFoundError:
        return Check(name, False, "", needed_for, f"pip install {name}")


def _scons() -> Check:
    needed_for = "PlatformIO without a download"
    try:
        folder = scons.installed_folder()
    except BuildError as error:
        return Check("tool-scons", False, "", needed_for, error.hint)
    if folder is None:
        return Check("tool-scons", False, "", needed_for, "mcubnn setup")
    return Check("tool-scons", True, scons.required_version(), needed_for, "")
