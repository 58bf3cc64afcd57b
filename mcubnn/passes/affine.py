"""Composes elementwise steps into slope, intercept and limits, for int8 and score outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.ops.defs.elementwise import Elementwise

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class ClampedAffine:
    """y = clamp(slope * x + intercept, low, high), all `[classes, C]` float64."""

    slope: Float64s
    intercept: Float64s
    low: Float64s
    high: Float64s

    @property
    def is_finite(self) -> bool:
        """Whether slope and intercept are numbers."""
        return bool(np.isfinite(self.slope).all() and np.isfinite(self.intercept).all())

    @property
    def is_clamped(self) -> bool:
        """Whether a limit can cut anything off."""
        limited = np.isfinite(self.low) | np.isfinite(self.high)
        return bool((limited & (self.slope != 0)).any())


def compose(steps: Sequence[Elementwise], classes: int, channels: int) -> ClampedAffine:
    """The steps as one clamped affine map; exact in real arithmetic, evaluated in float64."""
    shape = (classes, channels)
    at_zero, at_one = np.zeros(shape), np.ones(shape)
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    for step in steps:
        ends = _image(step, low), _image(step, high)
        low, high = np.minimum(*ends), np.maximum(*ends)
        if step.is_affine:
            at_zero, at_one = step.apply_exact(at_zero), step.apply_exact(at_one)
    return ClampedAffine(at_one - at_zero, at_zero, low, high)


def _image(step: Elementwise, limit: Float64s) -> Float64s:
    """A limit after one more step; a constant step maps even an infinite limit to its constant."""
    with np.errstate(invalid="ignore"):
        image = step.apply_exact(limit)
    return np.where(np.isnan(image), step.apply_exact(np.zeros_like(limit)), image)
