"""What the portable kernels' code executes on each core, piece by piece.

Fitted to single layers of random geometry, 90 of each kernel, built by arm-none-eabi-gcc 12.2 -O2
and counted by QEMU -icount; an int8 output is counted at its dearest. The layers deviate from the
fit by up to 7 %, clipped windows of Thumb-1 by 8 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcubnn.ir.types import DType
from mcubnn.ops.variants.base import Core, Isa

Counts = Mapping[str, float]
"""Instructions per unit, by the name of a count in `portable.py`."""


@dataclass(frozen=True)
class PortableCode:
    """Code for one core.

    Attributes:
        kernels: by operator.
        stage: an element of the output stage, by its type, in addition to the cheapest.
    """

    kernels: Mapping[str, Counts]
    stage: Mapping[DType, float]


_THUMB1 = PortableCode(
    kernels={
        "binary_conv2d": {
            "call": 229,
            "output_row": 25.8,
            "pixel": 258,
            "element": 54.7,
            "tap_row": 30.0,
            "empty_row": 19.1,
            "tap": 33.7,
            "tap_word": 37.5,
            "placed": 35.8,
            "placed_row": 23.5,
            "placed_tap": 16.0,
            "outside_tap": 12.5,
            "outside_word": 30.4,
        },
        "binary_dense": {"call": 115, "word": 105, "element": 27.5, "weight_word": 28.0},
        "input_conv2d": {
            "call": 281,
            "output_row": 62.7,
            "pixel": 134,
            "word": 127,
            "element": 11.1,
            "load_row": 52.4,
            "load_tap": 27.1,
            "load_input": 30.5,
            "tap_input": 15.6,
        },
        "input_dense": {
            "call": 139,
            "word": 138,
            "element": 10.9,
            "weight_load": 25.0,
            "weight": 9.5,
            "scaled_channel": 12.0,
            "scaled_load": -1.0,
        },
        "int8_conv2d": {
            "call": 196,
            "output_row": 52,
            "word": 210,
            "element": 41.9,
            "tap_row": 18.7,
            "empty_row": 14,
            "tap": 33.3,
            "tap_input": 12.0,
        },
        "int8_dense": {"call": 121, "word": 96, "element": 18.7, "weight": 9.0},
        "bit_max_pool": {
            "call": 133,
            "output_row": 90,
            "pixel": 75.8,
            "word": 32.0,
            "load_row": 8.1,
            "load_tap": 6.9,
        },
        "int8_max_pool": {
            "call": 143,
            "output_row": 12,
            "pixel": 66.7,
            "element": 45.0,
            "tap_row": 35.3,
            "tap": 11.2,
        },
        "threshold": {"call": 128, "pixel": 26.4, "word": 87.4, "element": 19.2},
        "unpack_bits": {"call": 68, "pixel": 10.0, "element": 14.0},
    },
    stage={DType.BIT: 4.2, DType.INT8: 101.0, DType.INT32: 0.0},
)

_CORTEX_M4 = PortableCode(
    kernels={
        "binary_conv2d": {
            "call": 165,
            "output_row": 35.4,
            "pixel": 174,
            "element": 31.6,
            "tap_row": 23.0,
            "empty_row": 13.1,
            "tap": 20.8,
            "tap_word": 18.2,
            "placed": 24.2,
            "placed_row": 14.6,
            "placed_tap": 14.4,
            "outside_tap": 3.6,
            "outside_word": 16.3,
        },
        "binary_dense": {"call": 91, "word": 59, "element": 17.9, "weight_word": 17.0},
        "input_conv2d": {
            "call": 163,
            "output_row": 60.7,
            "pixel": 90.3,
            "word": 94.0,
            "element": 9.1,
            "load_row": 44.7,
            "load_tap": 16.8,
            "load_input": 24.8,
            "tap_input": 11.0,
        },
        "input_dense": {
            "call": 94,
            "word": 98.4,
            "element": 8.9,
            "weight_load": 11.0,
            "weight": 10.0,
            "scaled_channel": 11.0,
            "scaled_load": 5.0,
        },
        "int8_conv2d": {
            "call": 122,
            "output_row": 40,
            "word": 142,
            "element": 35.1,
            "tap_row": 18.2,
            "empty_row": 10,
            "tap": 13.9,
            "tap_input": 8.0,
        },
        "int8_dense": {"call": 91, "word": 54.5, "element": 18.7, "weight": 7.0},
        "bit_max_pool": {
            "call": 106,
            "output_row": 72,
            "pixel": 55.5,
            "word": 24.7,
            "load_row": 8.3,
            "load_tap": 6.9,
        },
        "int8_max_pool": {
            "call": 106,
            "output_row": 14,
            "pixel": 43.0,
            "element": 27.0,
            "tap_row": 17.7,
            "tap": 12.1,
        },
        "threshold": {"call": 89, "pixel": 8.7, "word": 53.3, "element": 19.0},
        "unpack_bits": {"call": 46, "pixel": 7.0, "element": 12.0},
    },
    stage={DType.BIT: 4.0, DType.INT8: 37.0, DType.INT32: 0.0},
)

# Where the compiler tunes the inner loops for another core.
_CORTEX_M3 = {
    "binary_conv2d": {
        "call": 142,
        "output_row": 37.1,
        "pixel": 176,
        "element": 32.2,
        "tap_row": 24.1,
        "empty_row": 14.6,
        "tap": 19.8,
        "tap_word": 18.2,
        "placed": 21.4,
        "placed_row": 17.5,
        "placed_tap": 15.5,
        "outside_tap": 2.4,
        "outside_word": 16.4,
    },
    "input_conv2d": {
        "call": 170,
        "output_row": 58.4,
        "pixel": 92.9,
        "word": 86.4,
        "element": 9.1,
        "load_row": 41.5,
        "load_tap": 17.6,
        "load_input": 23.9,
        "tap_input": 12.1,
    },
}
_CORTEX_M7 = {
    "binary_conv2d": {
        "call": 162,
        "output_row": 26.9,
        "pixel": 176,
        "element": 33.6,
        "tap_row": 22.7,
        "empty_row": 11.4,
        "tap": 16.7,
        "tap_word": 17.2,
        "placed": 22.1,
        "placed_row": 25.9,
        "placed_tap": 14.6,
        "outside_tap": 9.0,
        "outside_word": 15.3,
    },
    "input_conv2d": {
        "call": 141,
        "output_row": 66.0,
        "pixel": 79.2,
        "word": 96.2,
        "element": 9.1,
        "load_row": 47.0,
        "load_tap": 18.0,
        "load_input": 18.8,
        "tap_input": 12.0,
    },
    "int8_conv2d": {
        "call": 123,
        "output_row": 37,
        "word": 146,
        "element": 30.3,
        "tap_row": 22.3,
        "empty_row": 8,
        "tap": 15.9,
        "tap_input": 9.0,
    },
    "threshold": {"call": 96, "pixel": 12.0, "word": 51.6, "element": 16.4},
}

_TUNED: Mapping[str, Mapping[str, Counts]] = {"cortex-m3": _CORTEX_M3, "cortex-m7": _CORTEX_M7}


def portable_code_for(core: Core) -> PortableCode:
    """The code that is compiled for a core; for one that was not measured that of its nearest."""
    if core.isas[-1] is Isa.THUMB1:
        return _THUMB1
    kernels = {**_CORTEX_M4.kernels, **_TUNED.get(core.cpu, {})}
    return PortableCode(kernels, _CORTEX_M4.stage)
