"""The f2t kernel gives what its operator's reference gives, in the time that it promises."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ScoreStage, ThresholdStage
from mcubnn.ops.variants.base import Cost
from mcubnn.ops.variants.binary_conv2d_f2t import BinaryConv2dF2t
from mcubnn.ops.variants.cores import core_for
from tests.kernels.cases import seeds, windows_on
from tests.kernels.f2c_cases import PATTERNS, activations, conv_case
from tests.kernels.harness import Case, run_cases
from tests.kernels.instructions import INSTRUCTIONS_PER_TICK, MACHINES, run_on_core
from tests.kernels.toolchain import SANITIZERS, compile_objects, require_tool

F2T = BinaryConv2dF2t()
CHANNELS = (1, 3, 8, 9, 16, 17, 32, 33, 64)
Runtime = tuple[str, list[Path]]
"""A compiler and the runtime's objects that it built with the sanitizers."""

random_batches = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # each shrinking step would be a compilation
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", params=["gcc", "clang"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    compiler = require_tool(request.param)
    folder = tmp_path_factory.mktemp(f"runtime_{request.param}")
    return compiler, compile_objects(compiler, SANITIZERS, folder)


@st.composite
def random_cases(draw: st.DrawFn, channels: int) -> Case:
    """Any window of stride 1, any padding, classes, one-sided weights."""
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    drawn = draw(windows_on(height, width, 1))
    window = Window(drawn.kernel, (1, 1), drawn.pads, drawn.dilations)
    source = TensorType((height, width, channels), DType.BIT)
    pad_value = draw(st.sampled_from((-1, 0, 1)))
    op = conv_case(rng, source, draw(st.sampled_from(CHANNELS)), window, pad_value)
    op.weights[: draw(st.integers(0, 2))] = draw(st.sampled_from((-1, 1)))
    sample = activations(rng, source.shape, draw(st.sampled_from(PATTERNS)))
    if F2T.why_not(op, [source]):  # too many classes
        assert isinstance(op.stage, ThresholdStage)
        stage = ThresholdStage(None, op.stage.thresholds[:1], op.stage.flip)
        op = BinaryConv2d(op.weights, window, -1, stage)
    assert F2T.why_not(op, [source]) == ""
    return Case(op, source, sample, F2T)


def batches() -> st.SearchStrategy[tuple[Case, ...]]:
    return st.tuples(*(random_cases(c) for c in CHANNELS * 2))


def layer(
    inputs: int, outputs: int, size: int = 16, pad_value: int = -1, pattern: str = "even"
) -> Case:
    """A 3x3 convolution that keeps the size of a map."""
    rng = np.random.default_rng(inputs + outputs)
    source = TensorType((size, size, inputs), DType.BIT)
    op = conv_case(rng, source, outputs, Window((3, 3), pads=(1, 1, 1, 1)), pad_value)
    assert isinstance(op.stage, ThresholdStage)
    stage = ThresholdStage(None, op.stage.thresholds[:1], op.stage.flip)
    return Case(op.with_stage(stage), source, activations(rng, source.shape, pattern), F2T)


def cost(of: Case, core: str) -> Cost:
    return F2T.cost(of.op, [of.source], core_for(core), 0.5)


@given(data=st.data())
@random_batches
def test_kernel_equals_reference(runtime: Runtime, data: st.DataObject) -> None:
    compiler, objects = runtime
    cases = data.draw(batches())
    with TemporaryDirectory() as folder:
        for case, mode, output in run_cases(compiler, objects, cases, Path(folder)):
            assert output == case.expected, f"{case}, {mode}"


@pytest.mark.target
@pytest.mark.parametrize("core", MACHINES)
@given(data=st.data())
@random_batches
def test_core_equals_reference_within_its_bound(core: str, data: st.DataObject) -> None:
    cases = data.draw(batches())
    with TemporaryDirectory() as folder:
        for case, run in zip(cases, run_on_core(core, cases, Path(folder)), strict=True):
            assert run.output == case.expected, str(case)
            bound = cost(case, core).worst_instructions + INSTRUCTIONS_PER_TICK
            assert run.instructions <= bound, str(case)


GOALS = {  # executed instructions per 32 multiply-accumulates: Thumb-2, Thumb-1
    "8 -> 8": (layer(8, 8), 18.0, 26.0),
    "16 -> 16": (layer(16, 16), 11.4, 17.0),
    "16 -> 8": (layer(16, 8), 15.0, 22.0),
    "8 -> 16, 28x28": (layer(8, 16, 28), 13.9, 20.3),
    "32 -> 32": (layer(32, 32), 9.2, 14.0),
    "16 -> 16, exact zero padding": (layer(16, 16, pad_value=0), 14.2, 20.5),
}


@pytest.mark.target
@pytest.mark.parametrize("core", MACHINES)
def test_instructions_reach_the_goals_and_the_estimate(core: str, tmp_path: Path) -> None:
    cases = [case for case, *_ in GOALS.values()]
    runs = run_on_core(core, cases, tmp_path)
    for (name, (case, thumb2, thumb1)), run in zip(GOALS.items(), runs, strict=True):
        assert run.output == case.expected, name
        goal = thumb1 if core == "cortex-m0plus" else thumb2
        assert 32 * run.instructions / case.op.macs([case.source]) <= goal, name
        estimate = cost(case, core)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.06), name
        assert run.instructions <= estimate.worst_instructions <= 1.35 * run.instructions, name


@pytest.mark.target
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_time_does_not_depend_on_inputs(core: str, tmp_path: Path) -> None:
    assert F2T.constant_time
    cases = [layer(16, 12, pad_value=0, pattern=p) for p in ("zero", "one", "checkerboard", "even")]
    op = cases[0].op
    cases = [Case(op, case.source, case.sample, F2T) for case in cases]
    times = [run.instructions for run in run_on_core(core, cases, tmp_path)]
    assert max(times) - min(times) <= INSTRUCTIONS_PER_TICK


def test_variant_says_why_it_does_not_apply() -> None:
    case = layer(16, 16)
    op = case.op
    assert isinstance(op, BinaryConv2d)
    assert F2T.why_not(op, [case.source]) == ""
    strided = BinaryConv2d(op.weights, Window((3, 3), (1, 2)), -1, op.stage)
    assert "stride" in F2T.why_not(strided, [case.source])
    scores = ScoreStage(None, np.ones(16, np.int32), np.zeros((1, 16), np.int32))
    assert "not bits" in F2T.why_not(op.with_stage(scores), [case.source])
    position = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stage = ThresholdStage(position, np.zeros((256, 16), np.int32), np.zeros(16, np.bool_))
    assert "256 ways" in F2T.why_not(op.with_stage(stage), [case.source])
