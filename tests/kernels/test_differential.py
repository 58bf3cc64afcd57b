"""Every kernel gives, bit for bit, what its operator's reference gives."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ops.registry import device_operators
from tests.kernels.cases import batches
from tests.kernels.harness import run_cases
from tests.kernels.toolchain import SANITIZERS, compile_objects, require_tool

Runtime = tuple[str, list[Path]]
"""A compiler and the runtime's objects that it built with the sanitizers."""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    compiler = require_tool(request.param)
    folder = tmp_path_factory.mktemp(f"runtime_{request.param}")
    return compiler, compile_objects(compiler, SANITIZERS, folder)


@pytest.mark.parametrize("name", sorted(device_operators()))
@given(data=st.data())
@settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # each shrinking step would be a compilation
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_kernel_equals_reference(runtime: Runtime, name: str, data: st.DataObject) -> None:
    compiler, objects = runtime
    cases = data.draw(batches(name))
    with TemporaryDirectory() as folder:
        for case, mode, output in run_cases(compiler, objects, cases, Path(folder)):
            assert output == case.expected, f"{case}, {mode}"
