from pathlib import Path

import pytest

from mcubnn.build import toolchain
from mcubnn.build.doctor import diagnose, setup


def test_every_missing_tool_comes_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    checks = {check.name: check for check in diagnose()}
    assert {"arm-none-eabi-gcc", "newlib", "qemu-system-arm", "C compiler"} <= set(checks)
    for check in checks.values():
        assert check.found != bool(check.how_to_get), check
        assert check.found == bool(check.version), check
    assert "gcc-arm-none-eabi" in checks["arm-none-eabi-gcc"].how_to_get


def test_setup_provides_the_build_tool_and_names_what_it_cannot_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")  # neither the tools nor apt-get nor sudo
    monkeypatch.delenv("CC", raising=False)
    lines: list[str] = []
    checks = {check.name: check for check in setup(tmp_path / "log", lines.append)}
    assert checks["tool-scons"].found
    assert sum("install it yourself" in line for line in lines) == 3
    assert not (tmp_path / "log").exists()


def test_tool_that_does_not_run_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / toolchain.QEMU
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.find_tool(toolchain.QEMU) is None
