"""No input makes a kernel execute more instructions than its bound, and the bound is tight."""

from __future__ import annotations

import pytest

from mcubnn.ops.registry import device_operators
from mcubnn.ops.variants.base import Core, KernelVariant
from mcubnn.ops.variants.cores import core_for
from mcubnn.ops.variants.portable import PORTABLE, portable_cost
from mcubnn.ops.variants.table import VARIANTS
from tests.kernels.bound_cases import Layer, dearest_inputs, layers
from tests.kernels.harness import Case
from tests.kernels.instructions import INSTRUCTIONS_PER_TICK, MACHINES, Emulator
from tests.kernels.promises import HALF, MOST_SLACK

KERNELS: dict[str, tuple[str, KernelVariant | None]] = {
    **{f"{name} {PORTABLE}": (name, None) for name in device_operators()},
    **{f"{v.operator} {v.name}": (v.operator, v) for v in VARIANTS},
}
_LEAST_LAYERS = 5

pytestmark = pytest.mark.target


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("core", MACHINES)
def test_the_dearest_inputs_stay_below_a_tight_bound(
    emulator: Emulator, core: str, kernel: str
) -> None:
    operator, variant = KERNELS[kernel]
    chosen = [layer for layer in layers(operator) if can(variant, layer, core_for(core))]
    assert len(chosen) >= _LEAST_LAYERS
    cases = [[Case(*layer, x, variant) for x in dearest_inputs(*layer)] for layer in chosen]
    counts = iter(emulator.run(core, [case for inputs in cases for case in inputs]))
    for inputs in cases:
        most = max(next(counts).instructions for _ in inputs)
        bound = bound_of(inputs[0], core_for(core))
        assert most <= bound + INSTRUCTIONS_PER_TICK, f"{inputs[0]}: {most}, bound {bound}"
        slack = f"{inputs[0]}: {most}, bound {bound}, {bound / (most + 1):.2f}"
        assert bound <= MOST_SLACK * (most + INSTRUCTIONS_PER_TICK), slack


def can(variant: KernelVariant | None, layer: Layer, core: Core) -> bool:
    op, source = layer
    if variant is None:
        return True
    return not (variant.why_not(op, [source]) or variant.why_not_on(op, [source], core))


def bound_of(case: Case, core: Core) -> int:
    """What is promised of a case's kernel."""
    if case.variant is None:
        return portable_cost(case.op, [case.source], core).worst_instructions
    return case.variant.cost(case.op, [case.source], core, HALF).worst_instructions
