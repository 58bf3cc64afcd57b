from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.ops.defs.elementwise import Add, Clip, Div, Elementwise, Mul
from mcubnn.passes.affine import compose
from tests.unit.passes.networks import f32

_numbers = st.floats(-8, 8, width=16)
_steps = st.one_of(
    _numbers.map(lambda v: Add(f32([v]))),
    _numbers.map(lambda v: Mul(f32([v]))),
    _numbers.filter(bool).map(lambda v: Div(f32([v]))),
    st.tuples(_numbers, _numbers).map(lambda ends: Clip(min(ends), max(ends))),
    _numbers.map(lambda v: Clip(v, np.inf)),
)


@given(st.lists(_steps, max_size=7), st.integers(-50, 50))
@settings(derandomize=True, deadline=None)
def test_composed_steps_equal_the_steps(steps: list[Elementwise], start: int) -> None:
    x = np.full((1, 1), float(start))
    affine = compose(steps, 1, 1)
    found = np.clip(affine.slope * x + affine.intercept, affine.low, affine.high)
    for step in steps:
        x = step.apply_exact(x)
    np.testing.assert_allclose(found, x, rtol=1e-9, atol=1e-9)


def test_clip_that_cannot_cut_a_constant_channel_is_no_clamp() -> None:
    affine = compose([Mul(f32([0.0, 0.0])), Clip(-1, 1)], 1, 2)
    assert not affine.is_clamped
    assert compose([Clip(0, np.inf)], 1, 2).is_clamped
