"""Tables of the f2c kernels: weights and thresholds for counting in 32 output channels at once.

The method and its algebra are in runtime_c/src/f2c_core.h. In its terms, with `a` set or unset
activations on a list, P of which have weight 1, and the constant T = sum of the weights' values:

    set:    S >= t  <=>      2 P - n >= ceil((t + T) / 2)
    unset:  S >= t  <=> not (2 P - n >= floor((T - t) / 2) + 1)

where S, T and t already contain the surplus channels (below). Both right sides are clamped to the
values that `2 P - n` can take and one more, `[-M, M + 1]` with M = half the inputs, shifted by M
and stored as planes: bit c of plane k is the complement of bit k of channel c's value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import WORD_BITS, Array
from mcubnn.ops.base import Struct, Table
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.packing import pack_by_output, pack_flags, words_for
from mcubnn.ops.variants.base import Core, Isa

QUAD = 4
"""Channels are entered into lists by fours; a surplus channel is -1 and has weight -1."""

BASE_PLANES = 9
"""Planes that every threshold has, `MCUBNN_F2C_BASE_PLANES`."""

MOST_ENTRIES = 65536
"""Most inputs of a sum, and more than a row of the map may have: entries have 16 bits."""

MOST_ENTRIES_THUMB1 = 16384
"""The same for Thumb-1, whose entries are byte offsets of weight words."""


def entry_channels(channels: int) -> int:
    """Channels of a pixel in lists."""
    return -(-channels // QUAD) * QUAD


def planes_per_word(entries: int) -> int:
    """Planes of a threshold if a sum has so many inputs."""
    largest = 2 * (entries // 2) + 1
    return max(BASE_PLANES, largest.bit_length())


@dataclass(frozen=True, eq=False)
class Signs:
    """Weights with whole quads of channels and without flips.

    Attributes:
        values: `[C_out, ..., entry channels]` int8 of -1 and +1, negated where the stage flips.
        surplus: channels added to each pixel.
        flip: `[C_out]` which channels are negated.
    """

    values: NDArray[np.int8]
    surplus: int
    flip: NDArray[np.bool_]

    @property
    def entries(self) -> int:
        """Inputs of one sum."""
        return int(self.values[0].size)

    @property
    def output_words(self) -> int:
        """Words of 32 output channels."""
        return words_for(len(self.values))

    def totals(self, taps: NDArray[np.bool_]) -> Array:
        """T of each output channel over the given taps, a mask `[...]` over the pixels."""
        per_pixel = self.values.sum(axis=-1, dtype=np.int64)
        return per_pixel.reshape(len(self.values), -1) @ taps.ravel().astype(np.int64)


def signs_of(weights: NDArray[np.int8], flip: NDArray[np.bool_]) -> Signs:
    """Pad the channels and fold the flips into the weights: (S >= t) xor 1 is -S >= 1 - t."""
    channels = weights.shape[-1]
    surplus = entry_channels(channels) - channels
    flipped = np.where(flip.reshape(-1, *(1,) * (weights.ndim - 1)), -weights, weights)
    padding = [(0, 0)] * (weights.ndim - 1) + [(0, surplus)]
    values = np.pad(flipped.astype(np.int8), padding, constant_values=-1)
    return Signs(values, surplus, flip)


def class_planes(
    signs: Signs, taps: NDArray[np.bool_], thresholds: NDArray[np.int32]
) -> NDArray[np.uint32]:
    """Planes of one class: `[set, unset][output word][plane]`.

    Args:
        signs: the weights.
        taps: mask over the pixels of the window; the others have no entries.
        thresholds: `[C_out]` of the original stage.
    """
    offset = signs.entries // 2
    t = thresholds.astype(np.int64)
    t = np.where(signs.flip, 1 - t, t) + signs.surplus * int(taps.sum())
    total = signs.totals(taps)
    reach_set = -((-(t + total)) // 2)
    reach_unset = (total - t) // 2 + 1
    sides = np.clip(np.stack([reach_set, reach_unset]) + offset, 0, 2 * offset + 1)
    lanes = np.zeros((2, signs.output_words * WORD_BITS), dtype=np.int64)
    lanes[0] = 2 * offset + 1  # channels that do not exist: never set, inverted always unset
    lanes[:, : len(t)] = sides
    planes = np.arange(planes_per_word(signs.entries))
    bits = (lanes.reshape(2, -1, WORD_BITS, 1) >> planes) & 1 == 0
    return pack_flags(np.moveaxis(bits, -1, -2))[..., 0]


def tables_struct(signs: Signs, planes: NDArray[np.uint32]) -> Struct:
    """Initialiser of `mcubnn_f2c_tables`."""
    layout = "[output word][pixel][entry channel], bit per output channel"
    comment = "[class][set, unset][output word][plane], complemented thresholds"
    return Struct(
        (
            ("weights", Table("weights", "uint32_t", pack_by_output(signs.values), layout)),
            ("planes", Table("planes", "uint32_t", planes, comment)),
            ("planes_per_word", planes_per_word(signs.entries)),
            ("offset", signs.entries // 2),
        )
    )


def stage_problem(stage: object) -> str:
    """Why the kernels cannot compute this output stage; empty if they can."""
    if isinstance(stage, ThresholdStage):
        return ""
    return "its output is not bits"


def entries_problem(entries: int, most: int = MOST_ENTRIES) -> str:
    """Why a sum has too many inputs for the kernels; empty if it has not."""
    if entries <= most:
        return ""
    return f"a sum has {entries} inputs (channels in fours), more than {most}"


def most_entries(core: Core) -> int:
    """`MCUBNN_F2C_MOST_ENTRIES` of the code that a core runs."""
    return MOST_ENTRIES_THUMB1 if core.isas[-1] is Isa.THUMB1 else MOST_ENTRIES
