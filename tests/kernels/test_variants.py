"""Every kernel variant gives what its operator's reference gives, in the time that it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mcubnn.ops.variants.table import VARIANTS
from tests.kernels import f2c_cases, f2t_cases, input_conv2d_tab_cases, mdfa_cases, mdfa_conv_cases
from tests.kernels.harness import Case, Host
from tests.kernels.instructions import MACHINES, SMALL_MACHINE, Emulator, Run
from tests.kernels.promises import (
    check_goal,
    check_on_core,
    check_on_host,
    check_same_time,
    random_batches,
)

ROWS = {
    "f2c": f2c_cases.PROMISES,
    "f2t": f2t_cases.PROMISES,
    "mdfa": mdfa_cases.PROMISES,
    "mdfa_conv": mdfa_conv_cases.PROMISES,
    "tab": input_conv2d_tab_cases.PROMISES,
}
LAYERS = [(row, layer) for row, promises in ROWS.items() for layer in promises.goals]
SMALL_FLASH_BYTES = 128 * 1024
SMALL_SCRATCH_BYTES = 8 * 1024

rows = pytest.mark.parametrize("row", ROWS)
cores = pytest.mark.parametrize("core", MACHINES)
layers = pytest.mark.parametrize(("row", "layer"), LAYERS)

Measure = Callable[[str, str], dict[str, Run]]
"""From a row and a core to the runs of the row's layers."""


@pytest.fixture(scope="session")
def measure(emulator: Emulator) -> Measure:
    @cache
    def run(row: str, core: str) -> dict[str, Run]:
        goals = ROWS[row].goals
        runs = emulator.run(core, [goal.case for goal in goals.values()])
        return dict(zip(goals, runs, strict=True))

    return run


@rows
def test_portable_core_equals_reference(host: Host, row: str) -> None:
    ROWS[row].for_batches(lambda cases: check_on_host(host, cases))


@pytest.mark.target
@rows
@cores
def test_core_equals_reference_within_its_bound(emulator: Emulator, core: str, row: str) -> None:
    ROWS[row].for_batches(lambda cases: check_on_core(emulator, core, cases))


@pytest.mark.target
@rows
@given(data=st.data())
@random_batches
def test_small_core_equals_reference(emulator: Emulator, row: str, data: st.DataObject) -> None:
    """On an emulated Cortex-M0, which refuses whatever is not Armv6-M."""
    cases = fitting([*data.draw(ROWS[row].batches), *ROWS[row].fixed])
    assert cases
    runs = emulator.run("cortex-m0", cases, SMALL_MACHINE)
    for case, run in zip(cases, runs, strict=True):
        assert run.output == case.expected, str(case)


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


@pytest.mark.target
@layers
@cores
def test_layer_reaches_its_goal_and_estimate(
    measure: Measure, core: str, row: str, layer: str
) -> None:
    check_goal(ROWS[row].goals[layer], core, measure(row, core)[layer])


@pytest.mark.target
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("row", [row for row, promises in ROWS.items() if promises.same_time])
def test_time_does_not_depend_on_inputs(emulator: Emulator, core: str, row: str) -> None:
    check_same_time(emulator, core, ROWS[row].same_time)


def test_every_variant_has_a_row() -> None:
    goals = [goal.case for promises in ROWS.values() for goal in promises.goals.values()]
    same_time = [case for promises in ROWS.values() for case in promises.same_time]
    assert kernels(goals) == {(v.operator, v.name) for v in VARIANTS}
    assert kernels(same_time) == {(v.operator, v.name) for v in VARIANTS if v.constant_time}


def kernels(cases: Sequence[Case]) -> set[tuple[str, str]]:
    return {(case.variant.operator, case.variant.name) for case in cases if case.variant}
