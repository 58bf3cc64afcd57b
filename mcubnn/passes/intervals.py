"""Enclosures of what a graph of source operators computes, for checking what it was lowered to.

A lowered layer is exact integer arithmetic and one float32 rounding, the framework's is float32
throughout; between the two lies a known bound. Behind a layer the thresholds follow the framework's
float32 steps, each of which is monotone with its rounding, so applying them to both ends of an
enclosure encloses the result. Scores and what leads to a layer are real arithmetic instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import Array
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.geometry import windows

Float64s = NDArray[np.float64]
Float32s = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Enclosure:
    """Bounds of a tensor `[N, *shape]`.

    Attributes:
        single: lower and upper bound, by the framework's float32 steps since the last layer.
        real: the same in real arithmetic.
    """

    single: tuple[Float32s, Float32s]
    real: tuple[Float64s, Float64s]

    @staticmethod
    def of(low: Float64s, high: Float64s) -> Enclosure:
        """The enclosure between two bounds; of float32 values where both are the same."""
        below, above = low.astype(np.float32), high.astype(np.float32)
        return Enclosure((below, above), (low, high))

    def map(self, change: Callable[[Array], Array]) -> Enclosure:
        """Every bound moved alike: pools, pads and reshapes."""
        below, above = (change(bound) for bound in self.single)
        low, high = (change(bound) for bound in self.real)
        return Enclosure((below, above), (low, high))

    def step(self, op: Elementwise) -> Enclosure:
        """After an elementwise operator, rising or falling."""
        singles = [op.apply(bound) for bound in self.single]
        reals = [op.apply_exact(bound) for bound in self.real]
        return Enclosure(
            (np.minimum(*singles), np.maximum(*singles)), (np.minimum(*reals), np.maximum(*reals))
        )

    def layer(self, op: Conv2d | Dense, tolerance: float) -> Enclosure:
        """After a layer whose stored weights deviate by at most `tolerance`, relatively.

        The sums' rounding to float32 is enclosed too.
        """
        low, high = self.real
        sums = _products(op, (low + high) / 2)
        largest = max(float(np.abs(low).max()), float(np.abs(high).max()), _pad_magnitude(op))
        radius = float((high - low).max()) / 2
        magnitudes = np.abs(op.weights.astype(np.float64)).reshape(len(op.weights), -1).sum(axis=1)
        slack = magnitudes * (radius + tolerance * largest)
        below = np.nextafter((sums - slack).astype(np.float32), np.float32(-np.inf))
        above = np.nextafter((sums + slack).astype(np.float32), np.float32(np.inf))
        return Enclosure((below, above), (sums - slack, sums + slack))

    def bits(self, at_zero: int) -> tuple[Array, Array]:
        """Smallest and largest answer of a sign, -1 or +1; 0 counts as +1 unless it is -1."""
        below, above = self.single
        unsure = np.isnan(below) | np.isnan(above)
        least, most = (b > 0 if at_zero < 0 else b >= 0 for b in (below, above))
        return np.where(least & ~unsure, 1, -1), np.where(most | unsure, 1, -1)

    def zeros(self) -> Bools:
        """Where the value is certainly 0."""
        below, above = self.single
        return (below == 0) & (above == 0)


def _pad_magnitude(op: Conv2d | Dense) -> float:
    return abs(op.pad_value) if isinstance(op, Conv2d) and op.window.has_padding else 0.0


def _products(op: Conv2d | Dense, x: Float64s) -> Float64s:
    """The layer in float64."""
    filters = op.weights.astype(np.float64).reshape(len(op.weights), -1).T
    bias = 0.0 if op.bias is None else op.bias.astype(np.float64)
    if isinstance(op, Dense):
        return np.asarray(x.reshape(len(x), -1) @ filters + bias)
    taps = windows(x, op.window, op.pad_value)
    flat = taps.reshape(-1, len(filters))
    return np.asarray((flat @ filters).reshape(*taps.shape[:3], -1) + bias)
