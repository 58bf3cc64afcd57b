"""What a kernel variant is held to, and how each part of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mcubnn.ops.variants.base import Cost, Isa
from mcubnn.ops.variants.cores import core_for
from tests.kernels.harness import Case, Host
from tests.kernels.instructions import INSTRUCTIONS_PER_TICK, Emulator, Run

HALF = 0.5
ESTIMATE_TOLERANCE = 0.05
MOST_SLACK = 1.35
"""How far the bound may lie above what was counted."""

random_batches = settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # each shrinking step would be a compilation
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Goal:
    """A layer and the most instructions that it may take per 32 multiply-accumulates.

    Attributes:
        case: the layer on an input of which half the bits are set.
        thumb2, thumb1: by instruction set; None where nothing is promised.
        mve: instead of thumb2, where a variant has code for it.
    """

    case: Case
    thumb2: float | None = None
    thumb1: float | None = None
    mve: float | None = None

    def on(self, core: str) -> float | None:
        """The goal for a core."""
        isas = core_for(core).isas
        if Isa.MVE in isas and self.mve is not None:
            return self.mve
        return self.thumb2 if Isa.THUMB2 in isas else self.thumb1


@dataclass(frozen=True)
class Promises:
    """A row of test_variants: one variant, or several that share their inner functions.

    Attributes:
        batches: draws cases, as many kinds as a batch can hold.
        goals: layers by name, at least one for each variant.
        fixed: cases that random ones would miss.
        same_time: one layer on inputs as different as can be; empty if its time may depend on them.
    """

    batches: st.SearchStrategy[tuple[Case, ...]]
    goals: dict[str, Goal]
    fixed: Sequence[Case] = ()
    same_time: Sequence[Case] = ()

    def for_batches(self, check: Callable[[Sequence[Case]], None]) -> None:
        """Check the fixed cases, then random batches."""

        @random_batches
        @given(cases=self.batches)
        def check_drawn(cases: tuple[Case, ...]) -> None:
            check(cases)

        if self.fixed:
            check(self.fixed)
        check_drawn()


def cost(case: Case, core: str, density: float = HALF) -> Cost:
    """What the variant says of a case."""
    assert case.variant is not None
    return case.variant.cost(case.op, [case.source], core_for(core), density)


def check_on_host(host: Host, cases: Sequence[Case]) -> None:
    """Outputs are exact."""
    for case, mode, output in host.run(cases):
        assert output == case.expected, f"{case}, {mode}"


def check_on_core(emulator: Emulator, core: str, cases: Sequence[Case]) -> None:
    """Outputs are exact and no case takes longer than its bound."""
    for case, run in zip(cases, emulator.run(core, cases), strict=True):
        assert run.output == case.expected, f"{case} on {core}"
        bound = cost(case, core).worst_instructions + INSTRUCTIONS_PER_TICK
        took = f"{case} took {run.instructions}, bound {bound}"
        assert run.instructions <= bound, f"{took} on {core}"


def check_goal(goal: Goal, core: str, run: Run) -> None:
    """The layer is exact, as fast as promised, and as its estimate and bound say."""
    case, most, promised = goal.case, goal.on(core), cost(goal.case, core)
    assert run.output == case.expected
    if most is not None:
        assert 32 * run.instructions / case.op.macs([case.source]) <= most
    assert promised.instructions == pytest.approx(run.instructions, rel=ESTIMATE_TOLERANCE)
    assert run.instructions <= promised.worst_instructions <= MOST_SLACK * run.instructions


def check_same_time(emulator: Emulator, core: str, cases: Sequence[Case]) -> None:
    """All cases take the same time, to within what can be counted."""
    times = [run.instructions for run in emulator.run(core, cases)]
    assert max(times) - min(times) <= INSTRUCTIONS_PER_TICK
