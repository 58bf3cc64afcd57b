"""Finds what a layer's real weights can be stored as: one bit each, or int8.

Exporters fuse batch normalisation into weights (METHODS: torch does it whenever the weight is a
constant), so binary weights arrive as +-c_o with one magnitude per output channel, and a folded
input normalisation adds one magnitude per input channel. Both are recovered here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RELATIVE_TOLERANCE = 1e-5
"""Straight-through residue folded into weights deviates by up to 2e-7, fused batch norm by 1e-6."""

LARGEST_MULTIPLIER = 1 << 15
"""Of the integer input-channel magnitudes; smaller where a sum could leave int32."""

RATIO_TOLERANCE = 1e-7
"""Multipliers whose ratios deviate by less are as good as exact: the data is float32."""

_RATIO_CANDIDATES = 1 << 20
"""Most ratios tried, over all channels."""


@dataclass(frozen=True)
class Codebook:
    """Integer weights and the real value of one unit.

    Attributes:
        integers: the weights' shape; int8. -1 and +1 where `binary`.
        scale: `[C_out]` float64, real value of one unit of an output channel's sum.
        multipliers: `[C_in]` int32 integer magnitudes of the input channels, or None if all are 1.
        binary: whether one bit holds each weight.
        reason: why it is not binary; empty where it is.
    """

    integers: NDArray[np.int8]
    scale: NDArray[np.float64]
    multipliers: NDArray[np.int32] | None
    binary: bool
    reason: str

    def real_weights(self) -> NDArray[np.float64]:
        """The weights these integers stand for, float64, in the original shape."""
        units = self.integers.astype(np.float64)
        if self.multipliers is not None:
            units = units * self.multipliers
        return units * self.scale.reshape(-1, *[1] * (units.ndim - 1))


def recover_codebook(weights: NDArray[np.float64], allow_multipliers: bool) -> Codebook:
    """The cheapest exact storage of `weights` `[C_out, ..., C_in]`, or int8 per output channel.

    Args:
        weights: real weights; the last axis is the input channel.
        allow_multipliers: whether the kernel can scale each input channel by an integer.
    """
    magnitude = np.abs(weights)
    signs = np.where(weights < 0, -1, 1).astype(np.int8)
    axes = tuple(range(1, weights.ndim))
    scale = magnitude.mean(axis=axes)
    if _constant(magnitude, scale.reshape(-1, *[1] * len(axes))):
        return Codebook(signs, _first_if_equal(magnitude, scale), None, binary=True, reason="")
    if allow_multipliers and (ranked := _rank_one(magnitude)) is not None:
        out_scale, multipliers = ranked
        return Codebook(signs, out_scale, multipliers, binary=True, reason="")
    return _int8(weights, magnitude, axes)


def _constant(magnitude: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    return bool((np.abs(magnitude - expected) <= RELATIVE_TOLERANCE * expected).all())


def _first_if_equal(
    magnitude: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Per output channel the exact magnitude where all are equal, else their mean."""
    flat = magnitude.reshape(magnitude.shape[0], -1)
    equal = (flat == flat[:, :1]).all(axis=1)
    return np.where(equal, flat[:, 0], mean)


def _rank_one(
    magnitude: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int32]] | None:
    """Output scales and integer input multipliers if |W| is their outer product."""
    channels = magnitude.shape[-1]
    per_input = magnitude.reshape(-1, channels).mean(axis=0)
    if not (per_input > 0).all():
        return None
    units = magnitude / per_input
    out_scale = units.mean(axis=tuple(range(1, units.ndim)))
    if not _constant(units, out_scale.reshape(-1, *[1] * (units.ndim - 1))):
        return None
    limit = largest_multiplier(magnitude[0].size)
    if limit < 1:
        return None
    multipliers = _integer_ratios(per_input, limit)
    step = (per_input / multipliers).mean()
    return out_scale * step, multipliers


def largest_multiplier(elements: int) -> int:
    """The largest multiplier with which no sum over this many pixels can leave int32."""
    return min(LARGEST_MULTIPLIER, (1 << 30) // (255 * elements))


def _integer_ratios(values: NDArray[np.float64], limit: int) -> NDArray[np.int32]:
    """Integers from 1 to `limit` in the ratios of positive values, as nearly as possible.

    Every number is tried for the largest value: with few channels the best of them is much nearer
    than `limit` itself (simultaneous approximation). The smallest good one is taken.
    """
    ratios = values / values.max()
    count = max(1, min(limit, _RATIO_CANDIDATES // len(values)))
    candidates = np.arange(limit - count + 1, limit + 1)
    rounded = np.maximum(np.rint(candidates[:, np.newaxis] * ratios), 1)
    errors = np.abs(rounded / (candidates[:, np.newaxis] * ratios) - 1).max(axis=1)
    good = errors <= max(errors.min(), RATIO_TOLERANCE)
    return rounded[int(np.argmax(good))].astype(np.int32)


def _int8(
    weights: NDArray[np.float64], magnitude: NDArray[np.float64], axes: tuple[int, ...]
) -> Codebook:
    largest = magnitude.max(axis=axes)
    scale = np.where(largest > 0, largest, 1.0) / 127
    units = np.rint(weights / scale.reshape(-1, *[1] * len(axes)))
    return Codebook(units.astype(np.int8), scale, None, binary=False, reason=_why(magnitude))


def _why(magnitude: NDArray[np.float64]) -> str:
    flat = magnitude.reshape(magnitude.shape[0], -1)
    spread = flat.max(axis=1) - flat.min(axis=1)
    channel = int(np.argmax(spread))
    distinct = len(np.unique(flat[channel].astype(np.float32)))
    low, high = flat[channel].min(), flat[channel].max()
    if low == 0.0 and distinct == 2:
        return f"ternary: channel {channel} holds 0 and +-{high:.4g}"
    return (
        f"channel {channel} has {distinct} different magnitudes ({low:.3g}..{high:.3g}); "
        f"binary weights have one"
    )
