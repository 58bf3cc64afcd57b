"""The first layer by tables: exact on the host and on cores, and as fast as promised."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, ScoreStage, ThresholdStage
from mcubnn.ops.variants.cores import core_for
from tests.kernels.harness import Case, run_cases
from tests.kernels.input_conv2d_tab_cases import TAB, longest_sums, random_cases, square_layer
from tests.kernels.instructions import run_on_core
from tests.kernels.toolchain import (
    INCLUDES,
    SANITIZERS,
    compile_objects,
    require_tool,
    run_tool,
)

Runtime = tuple[str, list[Path]]
CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7")
CHANNELS = (1, 2, 3, 4)
MEASURED = {
    f"{k}x{k} {i}->{o}, {n}x{n}{', classes' * c}": square_layer(n, k, i, o, classes=c)
    for k, i, o, n, c in (
        (3, 3, 64, 32, False),
        (3, 3, 32, 32, False),
        (3, 1, 64, 32, False),
        (3, 3, 64, 32, True),
        (3, 1, 16, 28, False),
        (5, 1, 32, 28, False),
        (5, 3, 33, 20, True),
        (1, 3, 40, 9, False),
        (7, 1, 16, 28, False),
    )
} | {"3x3 3->32, 40x40, stride 2": square_layer(40, 3, 3, 32, classes=False, stride=2)}
GOALS = (
    ("cortex-m4", "3x3 3->64, 32x32", 0.45),
    ("cortex-m4", "3x3 3->32, 32x32", 0.45),
    ("cortex-m4", "3x3 1->64, 32x32", 0.75),
    ("cortex-m0plus", "3x3 3->64, 32x32", 0.65),
    ("cortex-m0plus", "3x3 1->64, 32x32", 1.0),
)


@pytest.fixture(scope="module", params=["gcc", "clang"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    compiler = require_tool(request.param)
    folder = tmp_path_factory.mktemp(f"runtime_{request.param}")
    return compiler, compile_objects(compiler, SANITIZERS, folder)


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], int]:
    """Executed instructions of the measured layers by core and layer, their results checked."""
    found = {}
    for core in CORES:
        runs = run_on_core(core, list(MEASURED.values()), tmp_path_factory.mktemp(core))
        for (layer, case), run in zip(MEASURED.items(), runs, strict=True):
            assert run.output == case.expected, f"{layer} on {core}"
            found[core, layer] = run.instructions
    return found


@given(data=st.data())
@settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # each shrinking step would be a compilation
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_portable_core_equals_reference(runtime: Runtime, data: st.DataObject) -> None:
    compiler, objects = runtime
    cases = [data.draw(random_cases(c)) for c in CHANNELS * 4] + longest_sums()
    with TemporaryDirectory() as folder:
        for case, mode, output in run_cases(compiler, objects, cases, Path(folder)):
            assert output == case.expected, f"{case}, {mode}"


@pytest.mark.parametrize("core", CORES)
@given(data=st.data())
@settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_assembly_equals_reference(core: str, data: st.DataObject) -> None:
    cases = [data.draw(random_cases(c)) for c in CHANNELS * 6] + longest_sums()
    with TemporaryDirectory() as folder:
        for case, run in zip(cases, run_on_core(core, cases, Path(folder)), strict=True):
            assert run.output == case.expected, str(case)


@pytest.mark.parametrize(("core", "layer", "most"), GOALS)
def test_instructions_per_mac_meet_the_goal(
    instructions: dict[tuple[str, str], int], core: str, layer: str, most: float
) -> None:
    case = MEASURED[layer]
    assert instructions[core, layer] / case.op.macs([case.source]) <= most


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("layer", MEASURED)
def test_cost_agrees_with_the_measurement(
    instructions: dict[tuple[str, str], int], core: str, layer: str
) -> None:
    case = MEASURED[layer]
    cost, measured = (
        TAB.cost(case.op, [case.source], core_for(core), 0.5),
        instructions[core, layer],
    )
    assert cost.instructions == pytest.approx(measured, rel=0.1)
    assert measured <= cost.worst_instructions <= 1.35 * measured


@pytest.mark.parametrize("case", [*longest_sums(), *MEASURED.values()], ids=str)
def test_header_states_the_scratch(case: Case, tmp_path: Path) -> None:
    arguments = ", ".join(f"{value}u" for value in case.call.scratch_arguments)
    stated = f"MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES({arguments})"
    source = tmp_path / "scratch.c"
    source.write_text(
        '#include "mcubnn/input_conv2d_tab.h"\n'
        f'_Static_assert({stated} == {case.call.scratch_bytes}u, "as planned");\n'
    )
    run_tool([require_tool("gcc"), *INCLUDES, "-fsyntax-only", source])


@pytest.mark.parametrize("case", [*longest_sums(), *MEASURED.values()], ids=str)
def test_time_does_not_depend_on_pixels(case: Case) -> None:
    assert TAB.constant_time
    costs = [TAB.cost(case.op, [case.source], core_for("cortex-m4"), d) for d in (0.0, 0.5, 1.0)]
    assert costs[0] == costs[1] == costs[2]


def _why_not(
    window: Window, channels: int, stage: OutputStage | None = None, scaled: bool = False
) -> str:
    weights = np.ones((1, *window.kernel, channels), np.int8)
    never = ThresholdStage(None, np.full((1, 1), 2**31 - 1, np.int32), np.zeros(1, np.bool_))
    multipliers = np.ones(channels, np.int32) if scaled else None
    op = InputConv2d(weights, window, multipliers, stage or never)
    return TAB.why_not(op, [TensorType((64, 64, channels), DType.UINT8)])


def test_why_not_names_what_is_missing() -> None:
    scores = ScoreStage(None, np.ones(1, np.int32), np.zeros((1, 1), np.int32))
    assert _why_not(Window((3, 3)), 3) == ""
    assert "bits" in _why_not(Window((3, 3)), 3, scores)
    assert "multipliers" in _why_not(Window((3, 3)), 3, scaled=True)
    assert _why_not(Window((3, 3), strides=(2, 3)), 3) == ""
    assert "dilations" in _why_not(Window((3, 3), dilations=(1, 2)), 3)
    assert "groups" in _why_not(Window((32, 1)), 1)
    assert "groups" in _why_not(Window((1, 11)), 20)
    assert _why_not(Window((8, 16)), 1) == ""
    assert "16 bits" in _why_not(Window((3, 43)), 1)
