"""The mdfa kernel gives what its operator's reference gives, in the time that it promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.variants.base import Cost
from mcubnn.ops.variants.binary_dense_mdfa import BinaryDenseMdfa
from mcubnn.ops.variants.cores import core_for
from tests.kernels.cases import CHANNELS, STAGES, dense_cases, random_signs, random_stage
from tests.kernels.f2c_cases import activations
from tests.kernels.harness import Case, run_cases
from tests.kernels.instructions import INSTRUCTIONS_PER_TICK, MACHINES, run_on_core
from tests.kernels.toolchain import SANITIZERS, compile_objects, require_tool

MDFA = BinaryDenseMdfa()
Runtime = tuple[str, list[Path]]
"""A compiler and the runtime's objects that it built with the sanitizers."""

random_batches = settings(
    max_examples=3,
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


def case(inputs: int, outputs: int, kind: str = "s32", pattern: str = "even") -> Case:
    rng = np.random.default_rng(inputs + outputs)
    weights = random_signs(rng, (outputs, inputs))
    weights[:: outputs - 1] = 1  # with all inputs -1 or +1 every bit differs, or none
    op = BinaryDense(weights, random_stage(rng, kind, outputs, (), inputs))
    source = TensorType((inputs,), DType.BIT)
    return Case(op, source, activations(rng, source.shape, pattern), MDFA)


def lengths(kind: str) -> list[Case]:
    """Rows of 4 to 68 words with all, no and some differences, and one of 2048 words."""
    patterns = ("zero", "one", "even")
    return [case(32 * words, 3, kind, p) for words in range(2, 70, 3) for p in patterns] + [
        case(65535, 2, kind, p) for p in patterns
    ]


def cost(of: Case, core: str) -> Cost:
    return MDFA.cost(of.op, [of.source], core_for(core), 0.5)


def batches() -> st.SearchStrategy[tuple[Case, ...]]:
    return st.tuples(*(dense_cases("binary_dense", c, kind) for c in CHANNELS for kind in STAGES))


@given(data=st.data())
@random_batches
def test_portable_core_equals_reference(runtime: Runtime, data: st.DataObject) -> None:
    compiler, objects = runtime
    cases = [replace(each, variant=MDFA) for each in data.draw(batches())] + lengths("s32")
    with TemporaryDirectory() as folder:
        for each, mode, output in run_cases(compiler, objects, cases, Path(folder)):
            assert output == each.expected, f"{each}, {mode}"


@pytest.mark.target
@pytest.mark.parametrize("core", MACHINES)
@given(data=st.data())
@random_batches
def test_core_equals_reference_within_its_bound(core: str, data: st.DataObject) -> None:
    cases = [replace(each, variant=MDFA) for each in data.draw(batches())] + lengths("bits")
    with TemporaryDirectory() as folder:
        for each, run in zip(cases, run_on_core(core, cases, Path(folder)), strict=True):
            assert run.output == each.expected, str(each)
            assert run.instructions <= cost(each, core).worst_instructions + INSTRUCTIONS_PER_TICK


GOALS = {  # executed instructions per 32 multiply-accumulates: Thumb-2, Thumb-1
    "256 -> 10": (case(256, 10), 16.2, 27.5),
    "512 -> 10": (case(512, 10), 11.8, 21.0),
    "1024 -> 10": (case(1024, 10), 9.2, 16.5),
    "4096 -> 10": (case(4096, 10), 7.4, 13.5),
    "512 -> 64, bits": (case(512, 64, "bits"), 10.9, 19.5),
    "1024 -> 256, bits": (case(1024, 256, "bits"), 8.5, 16.0),
    "512 -> 100, int8": (case(512, 100, "s8"), 13.0, 26.5),
    "100 -> 10": (case(100, 10), 33.5, 55.5),
}


@pytest.mark.target
@pytest.mark.parametrize("core", MACHINES)
def test_instructions_reach_the_goals_and_the_estimate(core: str, tmp_path: Path) -> None:
    cases = [each for each, *_ in GOALS.values()]
    runs = run_on_core(core, cases, tmp_path)
    for (name, (each, thumb2, thumb1)), run in zip(GOALS.items(), runs, strict=True):
        assert run.output == each.expected, name
        goal = thumb1 if core == "cortex-m0plus" else thumb2
        least = run.instructions - INSTRUCTIONS_PER_TICK
        assert 32 * least / each.op.macs([each.source]) <= goal, name
        estimate = cost(each, core)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.05), name
        assert run.instructions <= estimate.worst_instructions <= 1.35 * run.instructions, name


@pytest.mark.target
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_time_does_not_depend_on_inputs(core: str, tmp_path: Path) -> None:
    assert MDFA.constant_time
    cases = [case(736, 40, "s32", p) for p in ("zero", "one", "checkerboard", "even")]
    runs = run_on_core(core, cases, tmp_path)
    times = [run.instructions for run in runs]
    assert max(times) - min(times) <= INSTRUCTIONS_PER_TICK


def test_variant_is_for_dense_layers_of_bits_only() -> None:
    source = TensorType((64,), DType.BIT)
    assert all(MDFA.why_not(case(64, 2, kind).op, [source]) == "" for kind in STAGES)
    assert "binary_dense" in MDFA.why_not(UnpackBits(), [source])
