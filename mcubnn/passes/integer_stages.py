"""Fixed-point forms of a clamped affine map: int8 requantization and int32 scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.ops.output_stage import RequantizeStage, ScoreStage
from mcubnn.passes.affine import ClampedAffine

Float64s = NDArray[np.float64]
Int64s = NDArray[np.int64]

MULTIPLIER_BITS = 30
SCORE_BITS = 30
EXACT = 1e-9
"""Relative deviation below which a float64 result counts as the integer it is next to."""


def requantize_stage(
    affine: ClampedAffine,
    scale: float,
    low: Int64s,
    high: Int64s,
    position_class: NDArray[np.uint8] | None,
) -> RequantizeStage:
    """clamp(slope * sum + intercept, low, high) / scale as int8.

    Multiplier and bias carry as many fractional bits as int32 and int64 allow; the result differs
    from real arithmetic only where that falls within 2^-20 of a rounding boundary.
    """
    slope, intercept = affine.slope[0] / scale, affine.intercept / scale
    reach = np.maximum(np.abs(low), np.abs(high)).max()
    largest = max(np.abs(slope).max(), 2.0**-40)
    by_multiplier = MULTIPLIER_BITS - 1 - int(np.floor(np.log2(largest)))
    by_total = 61 - int(np.ceil(np.log2(max(largest * reach + np.abs(intercept).max(), 1.0))))
    shift = int(np.clip(min(by_multiplier, by_total), 1, 62))
    bottom = np.ceil(np.clip(affine.low / scale, -127, 127) - 0.5).max(axis=0)
    top = np.floor(np.clip(affine.high / scale, -127, 127) + 0.5).min(axis=0)
    return RequantizeStage(
        position_class,
        np.rint(np.ldexp(slope, shift)).astype(np.int32),
        np.rint(np.ldexp(intercept, shift)).astype(np.int64),
        shift,
        bottom.astype(np.int8),
        top.astype(np.int8),
    )


def score_stage(
    affine: ClampedAffine,
    low: Int64s,
    high: Int64s,
    position_class: NDArray[np.uint8] | None,
) -> tuple[ScoreStage, float]:
    """int32 scores and the real value of one unit.

    Where all classes share one positive slope and the intercepts are whole multiples of it, the
    scores are the sums plus integers and the unit is the slope: exact. Otherwise slopes and
    intercepts become fixed point with as many bits as int32 leaves.
    """
    slope, intercept = affine.slope, affine.intercept
    unit = float(slope.flat[0])
    if unit > 0 and bool((np.abs(slope - unit) <= EXACT * unit).all()):
        units = intercept / unit
        whole = np.rint(units)
        limit = np.abs(whole).max() + max(np.abs(low).max(), np.abs(high).max())
        near = np.abs(units - whole) <= EXACT * np.maximum(np.abs(whole), 1.0)
        if bool(near.all()) and limit < 1 << 31:
            return _stage(np.ones(slope.shape[1]), whole, position_class), unit
    reach = np.maximum(np.abs(low), np.abs(high))
    largest = float((np.abs(slope) * reach + np.abs(intercept)).max())
    exponent = SCORE_BITS - int(np.ceil(np.log2(max(largest, np.abs(slope).max(), 1e-30))))
    factors = np.ldexp(slope[0], exponent)
    stage = _stage(np.rint(factors), np.rint(np.ldexp(intercept, exponent)), position_class)
    return stage, float(np.ldexp(1.0, -exponent))


def _stage(
    multiplier: Float64s, bias: Float64s, position_class: NDArray[np.uint8] | None
) -> ScoreStage:
    return ScoreStage(position_class, multiplier.astype(np.int32), bias.astype(np.int32))
