"""Cost of the portable kernels.

Their time does not depend on the data. It is linear in a few counts of the geometry; the
coefficients below are executed instructions, fitted to firmware of eight networks, and of tiny ones
for what a pixel or a call costs, built with arm-none-eabi-gcc 12.2 -O2 and counted by QEMU -icount
(Cortex-M4 for Thumb-2, M0 for Thumb-1). Every measured node stays below the bound; code for M3
deviates by up to 7 %, for M7 by 12 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window, windows
from mcubnn.ops.packing import words_for
from mcubnn.ops.variants.base import Core, Cost, Isa

PORTABLE = "portable"

_BOUND_FACTOR = 1.16
"""Above the deviation of the fit and of the cores."""

_CYCLES_PER_INSTRUCTION = 1.2

Counts = Mapping[str, float]
"""Coefficient by count: instructions per unit."""

_THUMB2: Mapping[str, Counts] = {
    "binary_conv2d": {
        "tap_word": 17.4,
        "tap": 20.8,
        "placed_tap": 20.5,
        "element": 53.5,
        "pixel": 143.0,
        "call": 582.0,
    },
    "binary_dense": {"weight_word": 17.1, "element": 23.1, "call": 153.0},
    "input_conv2d": {
        "tap_input": 10.9,
        "tap": 2.0,
        "tap_load": 40.4,
        "element": 20.8,
        "pixel": 170.0,
    },
    "input_dense": {"weight": 10.0, "weight_load": 11.0, "element": 15.0, "call": 160.0},
    "int8_conv2d": {"tap_input": 7.8, "tap": 8.9, "element": 176.0, "pixel": 110.0},
    "int8_dense": {"weight": 7.4, "element": 20.3, "call": 115.0},
    "bit_max_pool": {"word_tap": 8.9, "word": 32.0, "pixel": 71.0, "call": 204.0},
    "int8_max_pool": {"input_tap": 16.6, "element": 40.7, "pixel": 22.0, "call": 190.0},
    "threshold": {"element": 22.7, "word": 62.0, "call": 99.0},
    "unpack_bits": {"element": 12.0, "pixel": 7.0, "call": 48.0},
}
_THUMB1: Mapping[str, Counts] = {
    "binary_conv2d": {
        "tap_word": 33.1,
        "tap": 33.8,
        "placed_tap": 28.5,
        "element": 91.6,
        "pixel": 177.0,
        "call": 862.0,
    },
    "binary_dense": {"weight_word": 29.1, "element": 34.0, "call": 206.0},
    "input_conv2d": {
        "tap_input": 16.5,
        "tap": 3.2,
        "tap_load": 55.9,
        "element": 26.0,
        "pixel": 240.0,
    },
    "input_dense": {"weight": 9.5, "weight_load": 24.7, "element": 16.0, "call": 265.0},
    "int8_conv2d": {"tap_input": 11.4, "tap": 15.2, "element": 365.0, "pixel": 200.0},
    "int8_dense": {"weight": 10.2, "element": 10.5, "call": 160.0},
    "bit_max_pool": {"word_tap": 8.7, "word": 40.0, "pixel": 89.0, "call": 277.0},
    "int8_max_pool": {"input_tap": 19.7, "element": 75.0, "pixel": 20.0, "call": 430.0},
    "threshold": {"element": 23.3, "word": 116.0, "call": 147.0},
    "unpack_bits": {"element": 14.0, "pixel": 10.7, "call": 74.0},
}


@dataclass(frozen=True)
class _Geometry:
    """What the counts are made of.

    Attributes:
        taps: those the kernel visits, summed over all output pixels.
        places_padding: whether taps outside the map count as constant bits; each tap is then
            checked for being outside.
    """

    source: TensorType
    result: TensorType
    taps: int
    places_padding: bool

    def counts(self) -> Counts:
        """Every count by name."""
        elements, outputs = self.result.elements, self.result.channels
        inputs, words = self.source.channels, words_for(self.source.channels)
        output_words = words_for(outputs)
        pixels = elements // outputs
        source_pixels = prod(self.source.shape[:-1])
        return {
            "call": 1,
            "pixel": pixels,
            "element": elements,
            "word": pixels * output_words,
            "tap": self.taps * outputs,
            "placed_tap": self.taps * outputs * self.places_padding,
            "tap_word": self.taps * outputs * words,
            "tap_input": self.taps * outputs * inputs,
            "tap_load": self.taps * output_words * inputs,
            "word_tap": self.taps * output_words,
            "input_tap": self.taps * inputs,
            "weight": self.source.elements * outputs,
            "weight_load": self.source.elements * output_words,
            "weight_word": source_pixels * words * outputs,
        }


def portable_cost(op: DeviceOp, sources: Sequence[TensorType], core: Core) -> Cost:
    """Estimate for the operator's own kernel."""
    source, result = sources[0], op.infer(sources)
    counts = _geometry(op, source, result).counts()
    table = _THUMB2 if core.isas[-1] is not Isa.THUMB1 else _THUMB1
    instructions = sum(each * counts[name] for name, each in table[op.name].items())
    call = op.kernel_call(sources)
    return Cost(
        instructions=instructions,
        worst_instructions=int(_BOUND_FACTOR * instructions) + 1,
        cycles=_CYCLES_PER_INSTRUCTION * instructions,
        scratch_bytes=call.scratch_bytes,
        flash_bytes=call.weight_bytes,
    )


def _geometry(op: DeviceOp, source: TensorType, result: TensorType) -> _Geometry:
    window = getattr(op, "window", None)
    if not isinstance(window, Window):
        return _Geometry(source, result, 0, places_padding=False)
    if isinstance(op, BinaryConv2d) and window.has_padding and op.pad_value != 0:
        taps = prod(result.shape[:2]) * prod(window.kernel)
        return _Geometry(source, result, taps, places_padding=True)
    return _Geometry(source, result, _taps_inside(source, window), places_padding=False)


def _taps_inside(source: TensorType, window: Window) -> int:
    """Window taps that lie inside the map, summed over all output pixels."""
    inside = np.ones((1, *source.shape[:2], 1), np.int64)
    return int(windows(inside, window, 0).sum())
