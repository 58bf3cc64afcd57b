"""The f2c kernels give what their operators' references give, in the time that they promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.variants.base import Cost, Isa
from mcubnn.ops.variants.cores import core_for
from tests.kernels.cases import random_signs
from tests.kernels.f2c_cases import DENSE, PIXEL, ROWS, activations, batches, threshold_stage
from tests.kernels.harness import Case, run_cases
from tests.kernels.instructions import INSTRUCTIONS_PER_TICK, MACHINES, Run, run_on_core
from tests.kernels.toolchain import SANITIZERS, compile_objects, require_tool

Runtime = tuple[str, list[Path]]
"""A compiler and the runtime's objects that it built with the sanitizers."""

CORES = [core for core in MACHINES if Isa.THUMB2 in core_for(core).isas]
HALF = 0.5
random_batches = settings(
    max_examples=6,
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


def same_conv(channels: int, pad_value: int) -> BinaryConv2d:
    """A 3x3 convolution that keeps size and channels of a map."""
    rng = np.random.default_rng(channels)
    stage = threshold_stage(rng, channels, (), 9 * channels)
    window = Window((3, 3), pads=(1, 1, 1, 1))
    return BinaryConv2d(random_signs(rng, (channels, 3, 3, channels)), window, pad_value, stage)


def conv_case(channels: int, pattern: str, *, rows: bool = True, pad_value: int = -1) -> Case:
    source = TensorType((16, 16, channels), DType.BIT)
    op = same_conv(channels, pad_value)
    sample = activations(np.random.default_rng(7), source.shape, pattern)
    return Case(op, source, sample, ROWS if rows else PIXEL)


def dense_case(inputs: int, outputs: int, pattern: str) -> Case:
    rng = np.random.default_rng(inputs)
    stage = threshold_stage(rng, outputs, (), inputs)
    op = BinaryDense(random_signs(rng, (outputs, inputs)), stage)
    return Case(op, TensorType((inputs,), DType.BIT), activations(rng, (inputs,), pattern), DENSE)


def cost(case: Case, core: str, density: float = HALF) -> Cost:
    assert case.variant is not None
    return case.variant.cost(case.op, [case.source], core_for(core), density)


def check(core: str, cases: Sequence[Case], runs: Sequence[Run]) -> None:
    """Outputs are exact and no case took longer than its bound."""
    for case, run in zip(cases, runs, strict=True):
        assert run.output == case.expected, f"{case} on {core}"
        bound = cost(case, core).worst_instructions + INSTRUCTIONS_PER_TICK
        took = f"{case} took {run.instructions}, bound {bound}"
        assert run.instructions <= bound, f"{took} on {core}"


@given(data=st.data())
@random_batches
def test_portable_core_equals_reference(runtime: Runtime, data: st.DataObject) -> None:
    compiler, objects = runtime
    cases = data.draw(batches())
    with TemporaryDirectory() as folder:
        for case, mode, output in run_cases(compiler, objects, cases, Path(folder)):
            assert output == case.expected, f"{case}, {mode}"


@pytest.mark.target
@pytest.mark.parametrize("core", CORES)
@given(data=st.data())
@random_batches
def test_assembly_equals_reference_within_its_bound(core: str, data: st.DataObject) -> None:
    cases = data.draw(batches())
    with TemporaryDirectory() as folder:
        check(core, cases, run_on_core(core, cases, Path(folder)))


@pytest.mark.target
def test_assembly_counts_up_to_the_most_entries(tmp_path: Path) -> None:
    cases = [
        dense_case(inputs, 32, pattern)
        for inputs in (65535, 65532, 40000)
        for pattern in ("zero", "one", "half", "checkerboard", "even")
    ]
    cases += [dense_case(count, 33, "one") for count in range(1, 10)]
    check("cortex-m4", cases, run_on_core("cortex-m4", cases, tmp_path))


@pytest.mark.target
def test_assembly_begins_a_block_at_every_entry(tmp_path: Path) -> None:
    cases = []
    for count in range(130):
        case = dense_case(260, 32, "zero")
        sample = case.sample.copy()
        sample[np.random.default_rng(count).permutation(260)[:count]] = 1
        cases.append(Case(case.op, case.source, sample, DENSE))
    check("cortex-m3", cases, run_on_core("cortex-m3", cases, tmp_path))


GOALS = {  # executed instructions per 32 multiply-accumulates, half of the inputs set
    "conv 32": (conv_case(32, "even"), 4.9),
    "conv 64": (conv_case(64, "even"), 3.9),
    "conv 128": (conv_case(128, "even"), 3.5),
    "conv 64, exact zero padding": (conv_case(64, "even", pad_value=0), 3.8),
    "conv 64, list per pixel": (conv_case(64, "even", rows=False), 5.3),
    "conv 128, list per pixel": (conv_case(128, "even", rows=False), 4.2),
    "dense 1024 -> 256": (dense_case(1024, 256, "half"), 3.95),
    "dense 512 -> 32": (dense_case(512, 32, "half"), 7.1),
}


@pytest.mark.target
@pytest.mark.parametrize("core", CORES)
def test_instructions_reach_the_goals_and_the_estimate(core: str, tmp_path: Path) -> None:
    cases = [case for case, _ in GOALS.values()]
    runs = run_on_core(core, cases, tmp_path)
    check(core, cases, runs)
    for (name, (case, goal)), run in zip(GOALS.items(), runs, strict=True):
        per_32 = 32 * run.instructions / case.op.macs([case.source])
        assert per_32 <= goal, name
        estimate = cost(case, core)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.05), name
        assert estimate.worst_instructions <= 1.35 * run.instructions, name


@pytest.mark.target
@pytest.mark.parametrize(("pattern", "density"), [("zero", 0.0), ("sparse", 0.1), ("dense", 0.9)])
def test_estimate_follows_the_density(pattern: str, density: float, tmp_path: Path) -> None:
    cases = [conv_case(64, pattern), conv_case(64, pattern, rows=False)]
    for case, run in zip(cases, run_on_core("cortex-m4", cases, tmp_path), strict=True):
        estimate = cost(case, "cortex-m4", density)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.06)


def test_variant_says_why_it_does_not_apply() -> None:
    source = TensorType((16, 16, 32), DType.BIT)
    op = same_conv(32, 0)
    dilated = BinaryConv2d(op.weights, Window((3, 3), dilations=(2, 1)), 0, op.stage)
    assert ROWS.why_not(op, [source]) == ""
    assert "dilation" in ROWS.why_not(dilated, [source])
    assert PIXEL.why_not(dilated, [source]) == ""
    assert "binary_dense" in PIXEL.why_not(dense_case(8, 8, "even").op, [source])
    position = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stage = ThresholdStage(position, np.zeros((256, 32), np.int32), np.zeros(32, np.bool_))
    assert "256 ways" in ROWS.why_not(op.with_stage(stage), [source])
    wide = TensorType((4, 2048, 32), DType.BIT)
    assert "65536 or more" in ROWS.why_not(op, [wide])
    assert ROWS.why_not(op, [TensorType((4, 512, 32), DType.BIT)]) == ""


def test_long_lists_need_thumb2() -> None:
    """Entries of Thumb-1 are byte offsets of weight words, in 16 bits."""
    op, source = same_conv(32, 0), [TensorType((4, 512, 32), DType.BIT)]
    assert ROWS.why_not_on(op, source, core_for("cortex-m4")) == ""
    assert "16384 or more" in ROWS.why_not_on(op, source, core_for("cortex-m0"))
    assert PIXEL.why_not_on(op, source, core_for("cortex-m0")) == ""
