"""Batch normalisation at inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ops.defs.elementwise import Elementwise, Floats


@dataclass(frozen=True, eq=False)
class BatchNorm(Elementwise):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over the last axis.

    Evaluated as x*a + b with a = gamma / sqrt(variance + epsilon) and b = beta - mean*a, each
    rounded to float32: the order onnxruntime uses, so that thresholds agree with it.

    Attributes:
        gamma, beta, mean, variance: `[C]` float32.
        epsilon: added to the variance.
    """

    name: ClassVar[str] = "batch_norm"
    gamma: Floats
    beta: Floats
    mean: Floats
    variance: Floats
    epsilon: float

    def slope(self) -> Floats:
        """a, `[C]` float32."""
        return self.gamma / np.sqrt(self.variance + np.float32(self.epsilon))

    def intercept(self) -> Floats:
        """b, `[C]` float32."""
        return self.beta - self.mean * self.slope()

    def apply(self, x: Floats) -> Floats:
        return x * self.slope() + self.intercept()

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        root = np.sqrt(self.variance.astype(np.float64) + self.epsilon)
        return self.gamma * (x - self.mean.astype(np.float64)) / root + self.beta

    def direction(self) -> Floats:
        return np.sign(self.gamma)
