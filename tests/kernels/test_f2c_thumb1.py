"""The f2c kernels on Armv6-M: exact, within their bound, and as fast as promised.

Most tests run Armv6-M code on an emulated Cortex-M3, where instructions can be counted; some run on
an emulated Cortex-M0 with 16 KiB of RAM, which refuses whatever is not Armv6-M.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.kernels.f2c_cases import DENSE, batches
from tests.kernels.harness import Case
from tests.kernels.instructions import SMALL_MACHINE, run_on_core
from tests.kernels.test_f2c import check, conv_case, cost, dense_case, random_batches

pytestmark = pytest.mark.target

CORE = "cortex-m0plus"
SMALL_FLASH_BYTES = 128 * 1024
SMALL_SCRATCH_BYTES = 8 * 1024


def fitting(cases: Sequence[Case]) -> list[Case]:
    """Those that fit the small machine's memories, together with the code."""
    chosen: list[Case] = []
    flash_bytes = 0
    for case in cases:
        case_bytes = case.call.weight_bytes + case.source.storage_bytes
        if (
            flash_bytes + case_bytes <= SMALL_FLASH_BYTES
            and case.call.scratch_bytes <= SMALL_SCRATCH_BYTES
        ):
            chosen.append(case)
            flash_bytes += case_bytes
    return chosen


@given(data=st.data())
@random_batches
def test_equals_reference_within_its_bound(data: st.DataObject) -> None:
    cases = data.draw(batches())
    with TemporaryDirectory() as folder:
        check(CORE, cases, run_on_core(CORE, cases, Path(folder)))


@given(data=st.data())
@random_batches
def test_equals_reference_on_cortex_m0(data: st.DataObject) -> None:
    cases = fitting(data.draw(batches()))
    assert cases
    with TemporaryDirectory() as folder:
        runs = run_on_core("cortex-m0", cases, Path(folder), SMALL_MACHINE)
    for case, run in zip(cases, runs, strict=True):
        assert run.output == case.expected, f"{case}"


def test_counts_up_to_the_most_entries(tmp_path: Path) -> None:
    cases = [
        dense_case(inputs, 32, pattern)
        for inputs in (16384, 16383, 10000)
        for pattern in ("zero", "one", "half", "checkerboard", "even")
    ]
    cases += [dense_case(count, 33, "one") for count in range(1, 10)]
    check(CORE, cases, run_on_core(CORE, cases, tmp_path))


def test_begins_a_block_at_every_entry(tmp_path: Path) -> None:
    cases = []
    for count in range(130):
        case = dense_case(260, 32, "zero")
        sample = case.sample.copy()
        sample[np.random.default_rng(count).permutation(260)[:count]] = 1
        cases.append(Case(case.op, case.source, sample, DENSE))
    check(CORE, cases, run_on_core(CORE, cases, tmp_path))


GOALS = {  # executed instructions per 32 multiply-accumulates, half of the inputs set
    "conv 32": (conv_case(32, "even"), 5.7),
    "conv 64": (conv_case(64, "even"), 4.35),
    "conv 128": (conv_case(128, "even"), 3.85),
    "conv 64, exact zero padding": (conv_case(64, "even", pad_value=0), 4.25),
    "conv 64, list per pixel": (conv_case(64, "even", rows=False), 6.45),
    "conv 128, list per pixel": (conv_case(128, "even", rows=False), 4.85),
    "dense 1024 -> 256": (dense_case(1024, 256, "half"), 4.5),
    "dense 512 -> 32": (dense_case(512, 32, "half"), 9.1),
}


def test_instructions_reach_the_goals_and_the_estimate(tmp_path: Path) -> None:
    cases = [case for case, _ in GOALS.values()]
    runs = run_on_core(CORE, cases, tmp_path)
    check(CORE, cases, runs)
    for (name, (case, goal)), run in zip(GOALS.items(), runs, strict=True):
        per_32 = 32 * run.instructions / case.op.macs([case.source])
        assert per_32 <= goal, name
        estimate = cost(case, CORE)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.05), name
        assert estimate.worst_instructions <= 1.35 * run.instructions, name


@pytest.mark.parametrize(("pattern", "density"), [("zero", 0.0), ("sparse", 0.1), ("dense", 0.9)])
def test_estimate_follows_the_density(pattern: str, density: float, tmp_path: Path) -> None:
    cases = [conv_case(64, pattern), conv_case(64, pattern, rows=False)]
    for case, run in zip(cases, run_on_core(CORE, cases, tmp_path), strict=True):
        estimate = cost(case, CORE, density)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.06)
