"""What the portable kernels' code executes on each core, piece by piece.

Fitted to single layers of random geometry, 90 of each kernel, built by arm-none-eabi-gcc 12.2 -O2
and counted by QEMU -icount; an int8 output is counted at its dearest. The layers deviate from the
fit by up to 7 %, clipped windows of Thumb-1 by 8 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mcubnn.ir.types import DType
from mcubnn.ops.variants.base import Core, Isa

_Key = TypeVar("_Key")

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


# The columns are Thumb-1, Cortex-M4 and, where the compiler tunes the inner loops for another core,
# Cortex-M7 and -M3; where it does not, the code is that of Cortex-M4.
_THUMB1, _CORTEX_M4, _CORTEX_M7, _CORTEX_M3 = range(4)
_TUNED = {"cortex-m7": _CORTEX_M7, "cortex-m3": _CORTEX_M3}

_KERNELS: Mapping[str, Mapping[str, Sequence[float]]] = {
    "binary_conv2d": {
        "call": (229, 165, 162, 142),
        "output_row": (25.8, 35.4, 26.9, 37.1),
        "pixel": (258, 174, 176, 176),
        "element": (54.7, 31.6, 33.6, 32.2),
        "tap_row": (30.0, 23.0, 22.7, 24.1),
        "empty_row": (19.1, 13.1, 11.4, 14.6),
        "tap": (33.7, 20.8, 16.7, 19.8),
        "tap_word": (37.5, 18.2, 17.2, 18.2),
        "placed": (35.8, 24.2, 22.1, 21.4),
        "placed_row": (23.5, 14.6, 25.9, 17.5),
        "placed_tap": (16.0, 14.4, 14.6, 15.5),
        "outside_tap": (12.5, 3.6, 9.0, 2.4),
        "outside_word": (30.4, 16.3, 15.3, 16.4),
    },
    "binary_dense": {
        "call": (115, 91),
        "word": (105, 59),
        "element": (27.5, 17.9),
        "weight_word": (28.0, 17.0),
    },
    "input_conv2d": {
        "call": (281, 163, 141, 170),
        "output_row": (62.7, 60.7, 66.0, 58.4),
        "pixel": (134, 90.3, 79.2, 92.9),
        "word": (127, 94.0, 96.2, 86.4),
        "element": (11.1, 9.1, 9.1, 9.1),
        "load_row": (52.4, 44.7, 47.0, 41.5),
        "load_tap": (27.1, 16.8, 18.0, 17.6),
        "load_input": (30.5, 24.8, 18.8, 23.9),
        "tap_input": (15.6, 11.0, 12.0, 12.1),
    },
    "input_dense": {
        "call": (139, 94),
        "word": (138, 98.4),
        "element": (10.9, 8.9),
        "weight_load": (25.0, 11.0),
        "weight": (9.5, 10.0),
        "scaled_channel": (12.0, 11.0),
        "scaled_load": (-1.0, 5.0),
    },
    "int8_conv2d": {
        "call": (196, 122, 123),
        "output_row": (52, 40, 37),
        "word": (210, 142, 146),
        "element": (41.9, 35.1, 30.3),
        "tap_row": (18.7, 18.2, 22.3),
        "empty_row": (14, 10, 8),
        "tap": (33.3, 13.9, 15.9),
        "tap_input": (12.0, 8.0, 9.0),
    },
    "int8_dense": {
        "call": (121, 91),
        "word": (96, 54.5),
        "element": (18.7, 18.7),
        "weight": (9.0, 7.0),
    },
    "bit_max_pool": {
        "call": (133, 106),
        "output_row": (90, 72),
        "pixel": (75.8, 55.5),
        "word": (32.0, 24.7),
        "load_row": (8.1, 8.3),
        "load_tap": (6.9, 6.9),
    },
    "int8_max_pool": {
        "call": (143, 106),
        "output_row": (12, 14),
        "pixel": (66.7, 43.0),
        "element": (45.0, 27.0),
        "tap_row": (35.3, 17.7),
        "tap": (11.2, 12.1),
    },
    "threshold": {
        "call": (128, 89, 96),
        "pixel": (26.4, 8.7, 12.0),
        "word": (87.4, 53.3, 51.6),
        "element": (19.2, 19.0, 16.4),
    },
    "unpack_bits": {
        "call": (68, 46),
        "pixel": (10.0, 7.0),
        "element": (14.0, 12.0),
    },
}

_STAGE: Mapping[DType, Sequence[float]] = {
    DType.BIT: (4.2, 4.0),
    DType.INT8: (101.0, 37.0),
    DType.INT32: (0.0, 0.0),
}


def is_fitted(core: Core) -> bool:
    """Whether the counts were measured on code that was compiled for the core."""
    return core.cpu in ("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7")


def portable_code_for(core: Core) -> PortableCode:
    """The code that is compiled for a core; for one that was not measured that of its nearest."""
    is_thumb1 = core.isas[-1] is Isa.THUMB1
    column = _THUMB1 if is_thumb1 else _TUNED.get(core.cpu, _CORTEX_M4)
    kernels = {name: _column(rows, column) for name, rows in _KERNELS.items()}
    return PortableCode(kernels, _column(_STAGE, column))


def _column(rows: Mapping[_Key, Sequence[float]], column: int) -> Mapping[_Key, float]:
    """What the code of a column executes."""
    return {key: row[column if column < len(row) else _CORTEX_M4] for key, row in rows.items()}
