"""Real-valued steps between a sum and its binarizer; folded into thresholds by the passes.

Every step maps each element by itself and is monotone in it (rounding included: float32 addition,
multiplication and division are correctly rounded, hence monotone), which is what makes one integer
threshold per channel exact.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import Op, TypeRuleError
from mcubnn.ir.types import Array, DType, TensorType

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Elementwise(Op):
    """A monotone map of each element; constants broadcast against `(h, w, c)` or `(features,)`."""

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        for constant in self.constants():
            try:
                broadcast = np.broadcast_shapes(source.shape, constant.shape)
            except ValueError:
                broadcast = None
            if broadcast != source.shape:
                raise TypeRuleError(
                    f"{self.name}'s constant must broadcast to its input; "
                    f"found {source} and a constant of shape {constant.shape}"
                )
        return source.with_dtype(DType.FLOAT32)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return self.apply(sources[0].astype(np.float32))

    @abstractmethod
    def apply(self, x: Floats) -> Floats:
        """The float32 meaning, operation by operation."""

    @abstractmethod
    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same map in float64, for composing affine chains."""

    def constants(self) -> tuple[Floats, ...]:
        """Scalar, per-channel or per-element constants."""
        return tuple(
            value for f in fields(self) if isinstance(value := getattr(self, f.name), np.ndarray)
        )

    def map_constants(self, change: Callable[[Floats], Floats]) -> Self:
        """The same step with every constant changed."""
        arrays = {
            f.name: change(value)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), np.ndarray)
        }
        return replace(self, **arrays)

    @abstractmethod
    def direction(self) -> Floats:
        """Sign of the slope, broadcastable to the input: +1 rising, -1 falling, 0 constant."""

    @property
    def is_affine(self) -> bool:
        """Whether the map is a*x + b with constant a and b."""
        return True


@dataclass(frozen=True, eq=False)
class Add(Elementwise):
    """x + constant."""

    name: ClassVar[str] = "add"
    constant: Floats

    def apply(self, x: Floats) -> Floats:
        return x + self.constant

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x + self.constant

    def direction(self) -> Floats:
        return np.ones_like(self.constant)


@dataclass(frozen=True, eq=False)
class Mul(Elementwise):
    """x * constant."""

    name: ClassVar[str] = "mul"
    constant: Floats

    def apply(self, x: Floats) -> Floats:
        return x * self.constant

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x * self.constant

    def direction(self) -> Floats:
        return np.sign(self.constant)


@dataclass(frozen=True, eq=False)
class Div(Elementwise):
    """x / constant; kept apart from `mul` because the two round differently."""

    name: ClassVar[str] = "div"
    constant: Floats

    def apply(self, x: Floats) -> Floats:
        return x / self.constant

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x / self.constant

    def direction(self) -> Floats:
        return np.sign(self.constant)


@dataclass(frozen=True, eq=False)
class Clip(Elementwise):
    """min(max(x, low), high); hardtanh, and ReLU with high = inf."""

    name: ClassVar[str] = "clip"
    low: float
    high: float

    def apply(self, x: Floats) -> Floats:
        return np.clip(x, np.float32(self.low), np.float32(self.high))

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(x, self.low, self.high)

    def direction(self) -> Floats:
        return np.ones((), dtype=np.float32)

    @property
    def is_affine(self) -> bool:
        return False


@dataclass(frozen=True, eq=False)
class Rescale(Elementwise):
    """scale * x + offset in float64, rounded once to float32.

    Not an operator of any framework: the passes write it behind an integer sum to say what real
    value one unit of the sum has. One rounding, because the framework's own order of additions is
    unknown and the true value is the best guess at it.

    Attributes:
        scale: `[C]` or scalar, float64.
        offset: `[C]`, scalar or `[H, W, C]` (at padded borders), float64.
    """

    name: ClassVar[str] = "rescale"
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return self.apply_exact(sources[0].astype(np.float64)).astype(np.float32)

    def apply(self, x: Floats) -> Floats:
        return self.apply_exact(x.astype(np.float64)).astype(np.float32)

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x * self.scale + self.offset

    def direction(self) -> Floats:
        return np.sign(self.scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Normalize(Elementwise):
    """(scale * x - mean) / std: what a data loader does to pixels, each step rounded to float32.

    Attributes:
        scale: scalar, float64.
        mean, std: `[C]` or scalar, float64.
    """

    name: ClassVar[str] = "normalize"
    scale: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def apply(self, x: Floats) -> Floats:
        scaled: Floats = x * self.scale.astype(np.float32)
        centred: Floats = scaled - self.mean.astype(np.float32)
        return np.asarray(centred / self.std.astype(np.float32), np.float32)

    def apply_exact(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (x * self.scale - self.mean) / self.std

    def direction(self) -> Floats:
        return np.asarray(np.sign(self.scale / self.std), np.float32)
