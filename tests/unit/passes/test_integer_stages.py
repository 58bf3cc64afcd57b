"""Fixed-point stages against real arithmetic, over everything that can reach them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcubnn.passes.affine import ClampedAffine
from mcubnn.passes.integer_stages import requantize_stage, score_stage

_slopes = st.one_of(st.floats(-10, 10), st.floats(-1e-6, 1e-6), st.floats(-1e6, 1e6), st.just(0.0))
_intercepts = st.one_of(st.floats(-1e3, 1e3), st.floats(-1e9, 1e9))
_reaches = st.sampled_from([1, 9, 255, 4608, 1 << 20, (1 << 30) - 1, (1 << 31) - 1])
_limits = st.sampled_from([(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.0), (-3.0, 0.0)])


def _affine(
    slopes: list[float], intercepts: list[float], limits: tuple[float, float]
) -> ClampedAffine:
    row = np.array([slopes])
    return ClampedAffine(
        row,
        np.resize(np.array(intercepts), row.shape),
        np.full(row.shape, limits[0]),
        np.full(row.shape, limits[1]),
    )


def _reach(reach: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(channels, -reach, np.int64), np.full(channels, reach, np.int64)


def _sums(reach: int, channels: int) -> np.ndarray:
    picks = np.linspace(-reach, reach, 401).astype(np.int64)
    near = np.arange(-min(reach, 100), min(reach, 100) + 1)
    return np.repeat(np.concatenate([picks, near])[:, None], channels, axis=1)


@given(
    st.lists(_slopes, min_size=1, max_size=3),
    st.lists(_intercepts, min_size=1, max_size=3),
    _limits,
    _reaches,
    st.sampled_from([1 / 127, 0.05, 3.0]),
)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_requantized_values_equal_real_arithmetic(
    slopes: list[float],
    intercepts: list[float],
    limits: tuple[float, float],
    reach: int,
    scale: float,
) -> None:
    affine = _affine(slopes, intercepts, limits)
    low, high = _reach(reach, len(slopes))
    stage = requantize_stage(affine, scale, low, high, None)
    sums = _sums(reach, len(slopes))
    real = np.clip(affine.slope * sums + affine.intercept, affine.low, affine.high) / scale
    expected = np.clip(np.floor(real + 0.5), -127, 127)
    found = stage.apply(sums).astype(np.float64)
    unsure = np.abs(real + 0.5 - np.rint(real + 0.5)) < 2**-8
    largest = np.abs(np.array(slopes)).max() * reach
    if largest < 1e4 * np.abs(affine.slope[affine.slope != 0]).min(initial=1.0):
        assert ((found == expected) | unsure).all()
    assert (np.abs(found - expected) <= 1).all() or largest > 1e9


@given(
    st.lists(_slopes, min_size=1, max_size=4),
    st.lists(_intercepts, min_size=1, max_size=4),
    _reaches,
)
@example([1e-6, 1.0], [0.0], (1 << 31) - 1)
@example([0.0], [0.0], 9)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_scores_never_overflow_and_keep_their_value(
    slopes: list[float], intercepts: list[float], reach: int
) -> None:
    affine = _affine(slopes, intercepts, (-np.inf, np.inf))
    low, high = _reach(reach, len(slopes))
    stage, unit = score_stage(affine, low, high, None)
    sums = _sums(reach, len(slopes))
    wide = sums * stage.multiplier.astype(np.int64) + stage.bias.astype(np.int64)
    assert np.abs(wide).max() < 1 << 31
    real = affine.slope * sums + affine.intercept
    worst = np.abs(real).max()
    assert np.abs(wide * unit - real).max() <= max(worst, 1e-25) * (2**-29 + 2**-30 * reach) * 2


@pytest.mark.parametrize("unit", [1.0, 0.125, 3.7])
def test_whole_offsets_in_the_scores_own_unit_are_exact(unit: float) -> None:
    affine = _affine([unit, unit], [3 * unit, -7 * unit], (-np.inf, np.inf))
    stage, found = score_stage(affine, *_reach(1000, 2), None)
    assert (stage.multiplier == 1).all()
    assert stage.bias.tolist() == [[3, -7]]
    assert found == unit
