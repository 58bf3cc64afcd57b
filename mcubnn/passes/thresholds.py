"""Finds the integer threshold that equals a chain of float32 steps followed by a sign.

The chain is evaluated as the framework evaluates it, step by step in float32, on every integer the
sum can reach; nothing is solved in real numbers. Where a layer can reach more integers than that
allows (int8 weights), the switch is found by bisection, which is exact because every step is
monotone including its rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import InternalError
from mcubnn.ops.defs.elementwise import Elementwise

EXHAUSTIVE_EVALUATIONS = 1 << 26
"""Most chain evaluations done one by one; beyond, bisection."""

CHUNK_ELEMENTS = 1 << 20

ALWAYS = np.int32(-(2**31))
NEVER = np.int32(2**31 - 1)


class MixedDirectionError(Exception):
    """A channel rises with its sum at one position and falls at another."""


class NotANumberError(Exception):
    """The steps of a chain turn a reachable sum into NaN, which has no sign."""


@dataclass(frozen=True)
class SignChain:
    """Elementwise steps, specialised per position class, and a sign.

    Attributes:
        steps: their constants broadcast against `[classes, C]`.
        strict: True where the sign is +1 for x > 0 only, False for x >= 0.
        low, high: `[C]` int64, the integers the sum can reach.
        classes: number of position classes.
        inverted: `[classes, C]`, set where the bit is stored inverted; None if nowhere.
    """

    steps: Sequence[Elementwise]
    strict: bool
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    classes: int
    inverted: NDArray[np.bool_] | None = None

    def values(self, sums: NDArray[np.int64]) -> NDArray[np.float32]:
        """Real values `[n, classes, C]` of integer sums broadcastable to that shape.

        Raises:
            NotANumberError: one of them is NaN.
        """
        shape = np.broadcast_shapes(sums.shape, (1, self.classes, len(self.low)))
        x = np.broadcast_to(sums, shape)
        for step in self.steps:
            x = step.evaluate([x])
        if bool(np.isnan(x).any()):
            raise NotANumberError
        return np.broadcast_to(x, shape).astype(np.float32, copy=False)

    def bits(self, sums: NDArray[np.int64]) -> NDArray[np.bool_]:
        """The bit for integer sums, `[n, classes, C]`: the binarizer's answer, or its inverse."""
        values = self.values(sums)
        answers = values > 0 if self.strict else values >= 0
        return answers if self.inverted is None else answers ^ self.inverted

    def rising(self) -> SignChain:
        """The same chain with every falling entry inverted."""
        at_low, at_high = self.bits(self.low[None, None])[0], self.bits(self.high[None, None])[0]
        return replace(self, inverted=at_low & ~at_high)


def find_thresholds(chain: SignChain) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Thresholds `[classes, C]` and flips `[C]` such that bit = (sum >= threshold) xor flip.

    Raises:
        MixedDirectionError: no flip of a whole channel can express the chain.
    """
    at_low, at_high = chain.bits(chain.low[None, None])[0], chain.bits(chain.high[None, None])[0]
    falling = at_low & ~at_high
    flip = falling.any(axis=0)
    if bool((~at_low & at_high & flip).any()):
        raise MixedDirectionError
    count = int((chain.high - chain.low).max()) + 1
    search = _bisect if count * at_low.size > EXHAUSTIVE_EVALUATIONS else _exhaust
    switch = search(chain, at_low)
    thresholds = np.where(at_low != at_high, switch, 0)
    always = np.where(flip, NEVER, ALWAYS)
    never = np.where(flip, ALWAYS, NEVER)
    thresholds = np.where(at_low & at_high, always, thresholds)
    thresholds = np.where(~at_low & ~at_high, never, thresholds)
    return thresholds.astype(np.int32), flip


def _exhaust(chain: SignChain, at_low: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First integer whose bit differs from the bit at `low`, checking that none returns."""
    low, high = int(chain.low.min()), int(chain.high.max())
    length = max(1, CHUNK_ELEMENTS // at_low.size)
    switch = np.full(at_low.shape, high + 1, dtype=np.int64)
    for start in range(low, high + 1, length):
        sums = np.arange(start, min(start + length, high + 1), dtype=np.int64)[:, None, None]
        inside = (sums >= chain.low) & (sums <= chain.high)
        differs = (chain.bits(sums) != at_low) & inside
        returned = ~differs & inside & (sums > switch)
        first = np.where(differs.any(axis=0), start + differs.argmax(axis=0), high + 1)
        switch = np.minimum(switch, first)
        returned |= ~differs & inside & (sums > switch)
        if bool(returned.any()):
            raise InternalError("a float32 chain before a sign is not monotone")
    return switch


def _bisect(chain: SignChain, at_low: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The same switch by halving; exact for monotone chains."""
    low = np.broadcast_to(chain.low, at_low.shape).copy()
    high = np.broadcast_to(chain.high, at_low.shape).copy()
    while bool((low < high).any()):
        middle = (low + high) // 2
        differs = chain.bits(middle[None])[0] != at_low
        high = np.where(differs, middle, high)
        low = np.where(differs, low, middle + 1)
        low = np.minimum(low, high)
    return low


def count_exact_zeros(
    chain: SignChain, thresholds: NDArray[np.int32], flip: NDArray[np.bool_], parity: int | None
) -> int:
    """Number of (class, channel) pairs in which a reachable sum gives exactly 0.

    Args:
        chain: the chain.
        thresholds: `[classes, C]`, as found for it.
        flip: `[C]`, likewise; or `[classes, C]` with the chain's own inversions in it.
        parity: 0 or 1 if every reachable sum is even or odd; None if both occur.
    """
    edge = np.clip(thresholds.astype(np.int64) - flip, chain.low, chain.high)
    zero = chain.values(edge[None])[0] == 0
    if parity is not None:
        zero &= (edge & 1) == parity
    return int(zero.sum())
