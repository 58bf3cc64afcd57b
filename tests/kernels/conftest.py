"""The runtime, compiled once per test run for each compiler and core."""

from __future__ import annotations

import pytest

from tests.kernels.harness import Host
from tests.kernels.instructions import Emulator
from tests.kernels.toolchain import SANITIZERS, compile_objects, require_tool


@pytest.fixture(scope="session", params=["gcc", "clang"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Host:
    compiler = require_tool(request.param)
    folder = tmp_path_factory.mktemp(f"runtime_{request.param}")
    return Host(compiler, compile_objects(compiler, SANITIZERS, folder), folder)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    return Emulator(tmp_path_factory.mktemp("emulator"))
