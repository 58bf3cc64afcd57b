"""Executed instructions of the f2c kernels: what their lists make of the pieces of code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import ceil, exp, pi, sqrt
from statistics import NormalDist

import numpy as np

from mcubnn.ops.variants.bit_sliced import BASE_PLANES, QUAD
from mcubnn.ops.variants.f2c_code import ListCode, SumCode


@dataclass(frozen=True)
class Inputs:
    """The inputs of one sum, as far as their number matters.

    Attributes:
        entries: all of them.
        varying: those that depend on the data; the others are padding or surplus channels.
        set_constants: those of the others that are set.
    """

    entries: int
    varying: int
    set_constants: int

    def mean_walked(self, density: float) -> float:
        """Mean of min(n, entries - n) for n set inputs, each with the given probability."""
        distribution = self._distribution(density)
        off, spread = distribution.mean - self.entries / 2, distribution.stdev
        folded = spread * sqrt(2 / pi) * exp(-((off / spread) ** 2) / 2)
        folded += off * (1 - 2 * NormalDist().cdf(-off / spread))
        return max(0.0, self.entries / 2 - folded)

    def unset_share(self, density: float) -> float:
        """Probability that the unset inputs are fewer."""
        return 1 - self._distribution(density).cdf(self.entries / 2)

    def most_walked(self) -> int:
        """Greatest number of entries on the shorter list."""
        most_set, most_unset = self.set_constants + self.varying, self.entries - self.set_constants
        return min(self.entries // 2, most_set, most_unset)

    def _distribution(self, density: float) -> NormalDist:
        """The number of set inputs, binomial plus the constants, taken as normal."""
        spread = sqrt(self.varying * density * (1 - density))
        return NormalDist(self.set_constants + self.varying * density, max(spread, 1e-6))


@dataclass(frozen=True)
class Walk:
    """What mcubnn_f2c_sum does for one output pixel.

    Attributes:
        code: its instructions.
        inputs: under the window.
        segments: lists that they lie in.
        output_words: words of 32 channels.
        planes: of a threshold.
    """

    code: SumCode
    inputs: Inputs
    segments: int
    output_words: int
    planes: int

    def mean_instructions(self, density: float) -> float:
        """Mean if each input is set with the given probability, independently of the others.

        A counter passes a multiple of 2^k once in 2^(k + 1) entries; the 32 of a word do so in
        about one block.
        """
        lists = max(1, self.segments)
        walked = self.inputs.mean_walked(density)
        spread = sqrt(self.inputs.varying / lists * density * (1 - density))
        ripple = 0.0
        if self._rippled_planes:
            ripple = 8 * walked / (256 >> self.code.rippled_planes)
        each = self.segments * _mean_list(self._list_code, walked / lists, spread)
        return self._fixed() + self.output_words * (each + ripple)

    def worst_instructions(self) -> int:
        """Bound: most inputs are walked, spread over the lists as costs most.

        In each block a carry may run through all planes that have a loop: (add, b) and 6 a plane.
        """
        walked = self.inputs.most_walked()
        lists = max(1, self.segments)
        blocks = walked // self.code.block_steps + self.segments
        ripple = blocks * (2 + 6 * self._rippled_planes) if self._rippled_planes else 0
        longest = min(walked, ceil(self.inputs.entries / lists))
        each = _dearest_list(self._list_code, longest, walked / lists)
        return ceil(self._fixed() + self.output_words * (self.segments * each + ripple))

    @property
    def _high_planes(self) -> int:
        return self.planes - BASE_PLANES

    @property
    def _rippled_planes(self) -> int:
        """Planes that carries run through only as far as they go."""
        if self.code.block_high_plane:
            return 0
        return self.code.rippled_planes + self._high_planes

    @property
    def _list_code(self) -> SumCode:
        """With what the end of a block takes for this sum's planes."""
        planes = self.code.block_high_plane * self._high_planes
        return replace(self.code, block=self.code.block + planes)

    def _fixed(self) -> int:
        """What does not depend on the lists."""
        high = self._high_planes
        planes = self.code.high_planes + self.code.high_plane * high if high else 0
        return self.code.call + self.output_words * (self.code.word + planes)


def list_instructions(code: ListCode, pixels: int, channels: int) -> int:
    """One call of mcubnn_f2c_list."""
    return code.call + pixels * listed_pixel_instructions(code, channels)


def listed_pixel_instructions(code: ListCode, channels: int) -> int:
    """One pixel in mcubnn_f2c_list."""
    words, quads = divmod(-(-channels // QUAD), 8)
    rest = code.rest + code.quad * quads if quads else 0
    return code.pixel + code.word * words + rest


def _list(code: SumCode, entries: int) -> int:
    """One segment."""
    blocks, rest = divmod(-(-entries // code.lanes), code.block_steps)
    begin = code.entries if entries else 0
    begin += code.part + code.part_of_block(rest) if rest else 0
    return code.segment + begin + blocks * code.part_of_block(code.block_steps)


def _mean_list(code: SumCode, mean: float, spread: float) -> float:
    """Mean of a segment whose count is about normally distributed."""
    if spread < 0.5:
        return _list(code, round(mean))
    reach = ceil(3 * spread)
    counts = range(max(0, round(mean) - reach), round(mean) + reach + 1)
    shares = [exp(-(((n - mean) / spread) ** 2) / 2) for n in counts]
    total = sum(share * _list(code, n) for share, n in zip(shares, counts, strict=True))
    return total / sum(shares)


def _dearest_list(code: SumCode, longest: int, mean: float) -> float:
    """Bound of the mean cost of segments that have no more than `mean` entries on average.

    No segment has more than `longest`. Their mean cost is at most that of the smallest concave
    function above all costs, at the mean or, where more entries cost less, before it.
    """
    counts, costs = _hull(code, longest)
    dearest = counts[costs.index(max(costs))]
    return float(np.interp(min(mean, dearest), counts, costs))


@cache
def _hull(code: SumCode, longest: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The corners (entries, cost) of that function."""
    corners: list[tuple[int, int]] = []
    for n in range(longest + 1):
        cost = _list(code, n)
        while len(corners) > 1 and _is_below(corners[-1], corners[-2], (n, cost)):
            corners.pop()
        corners.append((n, cost))
    counts, costs = zip(*corners, strict=True)
    return counts, costs


def _is_below(middle: tuple[int, int], left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether a point lies on or below the line between its neighbours."""
    rise, run = right[1] - left[1], right[0] - left[0]
    return (middle[1] - left[1]) * run <= rise * (middle[0] - left[0])
