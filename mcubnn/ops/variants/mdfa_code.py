"""What the mdfa kernels share: rows of weights, and the executed instructions of their code.

They count differing bits as the portable kernels do, but add whole words with full adders before
they popcount; see runtime_c/src/mdfa_core.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.packing import pack_bits, words_for
from mcubnn.ops.variants.base import Core, Isa

_FOUR = 4
_SIXTEEN = 16
_CORTEX_M7_CYCLES_PER_INSTRUCTION = 0.75
"""It issues up to two instructions a cycle."""
_BOUND_FACTOR = 1.12
_BOUND_MARGIN = 100


@dataclass(frozen=True)
class DenseCode:
    """Executed instructions of mcubnn_binary_dense_mdfa apart from the outputs.

    Attributes:
        call: once.
        word: a word of the input.
    """

    call: int
    word: int


@dataclass(frozen=True)
class ConvCode:
    """Executed instructions of mcubnn_binary_conv2d_mdfa apart from the outputs.

    Attributes:
        call: once.
        output_row: a row of the output.
        pixel: an output pixel.
        row: a row of its window.
        word: a word under the window, inside the map.
        apart: in addition for each tap inside the map, with a dilation of the columns.
        padding_word: a word under the window, outside the map.
        padding_tap: a tap outside the map, in addition.
    """

    call: int
    output_row: int
    pixel: int
    row: int
    word: int
    apart: int
    padding_word: int
    padding_tap: int


@dataclass(frozen=True)
class Code:
    """The code for an instruction set; instructions per unit that repeats them.

    The sums are counted in runtime_c/src/thumb*/mdfa_sums.S; the rest was measured in code of
    arm-none-eabi-gcc 12.2 -O2 by QEMU -icount.

    Attributes:
        sum: a row of weights without any word.
        rest: what is left over of sixteens, by the number of words that is left over of fours.
        four, sixteen: words, in as many sixteens as possible.
        output_word: up to 32 outputs of a pixel.
        stage: an output in the output stage, by its type.
        cycles_per_instruction: with zero wait states, from the timing tables of Arm's manuals.
    """

    sum: int
    rest: tuple[int, int, int]
    four: int
    sixteen: int
    output_word: int
    stage: Mapping[DType, int]
    cycles_per_instruction: float
    dense: DenseCode
    conv: ConvCode

    def pixel_instructions(self, words: int, result: TensorType) -> int:
        """All outputs of a pixel, from a row of so many words."""
        sixteens, rest = divmod(words, _SIXTEEN)
        row = self.sum + self.sixteen * sixteens
        if rest:
            row += self.rest[rest % _FOUR] + self.four * (rest // _FOUR)
        outputs = result.channels
        return self.output_word * words_for(outputs) + outputs * (row + self.stage[result.dtype])


_THUMB2 = Code(
    # Begin (8, 3), end (46). A rest (2, 7, 12). A four: adding (13, 4), planes (3), loop (3). A
    # sixteen: four times four (13 each), full adders (8, 8, 8, 4), stack (2), popcount (14), loop
    # (3): 137 cycles of Cortex-M3 and -M4.
    sum=57,
    rest=(2, 9, 14),
    four=23,
    sixteen=99,
    output_word=46,
    stage={DType.BIT: 12, DType.INT8: 44, DType.INT32: 8},
    cycles_per_instruction=1.35,
    dense=DenseCode(90, 6),
    conv=ConvCode(120, 61, 140, 34, 5, 7, 10, 11),
)
_THUMB1 = Code(
    # Begin (10, 3), end (70). A rest (3, 11, 17). A four: adding (15, 6), planes (8), loop (3). A
    # sixteen: four times four (15 each), full adders (15, 15, 11, 6), stack (4), popcount (21),
    # loop (4): 179 cycles of Cortex-M0+.
    sum=83,
    rest=(3, 11, 17),
    four=32,
    sixteen=136,
    output_word=118,
    stage={DType.BIT: 13, DType.INT8: 106, DType.INT32: 9},
    cycles_per_instruction=1.35,
    dense=DenseCode(112, 6),
    conv=ConvCode(255, 89, 139, 50, 7, 12, 13, 17),
)


def code_for(core: Core) -> Code:
    """The code that a core executes."""
    return _THUMB2 if Isa.THUMB2 in core.isas else _THUMB1


def cycles(instructions: float, core: Core) -> float:
    """By the core's pipeline, with zero wait states."""
    if core.cpu == "cortex-m7":
        return _CORTEX_M7_CYCLES_PER_INSTRUCTION * instructions
    return code_for(core).cycles_per_instruction * instructions


def worst_instructions(instructions: float) -> int:
    """A bound where the estimate is so much: the time does not depend on the data."""
    return ceil(_BOUND_FACTOR * instructions) + _BOUND_MARGIN


def row_words(words: int) -> int:
    """Words of the row of so many words, `mcubnn_mdfa_row_words`."""
    return words + (words % _FOUR == _FOUR - 1)


def weight_rows(weights: NDArray[np.int8]) -> NDArray[np.uint32]:
    """`[C_out][row word]`: running parities, the last repeated where `row_words` wants one more."""
    words = pack_bits(weights).reshape(len(weights), -1)
    padded = np.pad(words, ((0, 0), (0, row_words(words.shape[1]) - words.shape[1])))
    return np.bitwise_xor.accumulate(padded, axis=1)
