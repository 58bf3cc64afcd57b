"""Fully connected layer of bits with bits by full adders: `mcubnn_binary_dense_mdfa`.

For few outputs, and for outputs other than bits. It counts differing bits as the portable kernel
does, but adds whole words with full adders before it popcounts; see runtime_c/src/mdfa_core.h.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.packing import pack_bits, words_for
from mcubnn.ops.structs import dims
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant

_QUAD = 4
_SIXTEEN = 16


@dataclass(frozen=True)
class _Code:
    """Executed instructions of the pieces of the code, per unit that repeats them.

    The sums of Thumb-2 are counted in runtime_c/src/thumb2/mdfa_sums.S; the rest was measured in
    code of arm-none-eabi-gcc 12.2 -O2 by QEMU -icount.

    Attributes:
        call: once.
        output_word: 32 outputs.
        parity: a word of the input's row.
        sum: a row of weights without any word.
        four, sixteen: words of an output, in as many sixteens as possible.
        stage: an output in the output stage, by its type.
        code_bytes: size of the code.
        cycles_per_instruction: with zero wait states.
    """

    call: int
    output_word: int
    parity: int
    sum: int
    four: int
    sixteen: int
    stage: Mapping[DType, int]
    code_bytes: int
    cycles_per_instruction: float


_THUMB2 = _Code(
    # A row: begin (8, 3), end (47), without a branch. Four words: adding (13, 4), planes (3), loop
    # (3). Sixteen: four times four (13 each), full adders (8, 8, 8, 4), stack (2), popcount (14),
    # loop (3). By the technical reference manuals' timing of Cortex-M3 and -M4 sixteen words take
    # 137 cycles.
    90,
    46,
    6,
    58,
    23,
    99,
    {DType.BIT: 12, DType.INT8: 46, DType.INT32: 8},
    940,
    1.35,
)
_THUMB1 = _Code(
    112, 118, 6, 98, 40, 186, {DType.BIT: 17, DType.INT8: 112, DType.INT32: 12}, 1090, 1.35
)
_CORTEX_M7_CYCLES_PER_INSTRUCTION = 0.75
"""It issues up to two instructions a cycle."""
_BOUND_FACTOR = 1.1
_BOUND_MARGIN = 40


class BinaryDenseMdfa(KernelVariant):
    """One row of weights per output, counted in planes; any output stage."""

    name: ClassVar[str] = "mdfa"
    operator: ClassVar[str] = BinaryDense.name
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = True

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        del sources
        return "" if isinstance(op, BinaryDense) else f"it is {op.name}, not {self.operator}"

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, BinaryDense)
        (source,) = sources
        layout = "[output][word], each xor all before it, the last repeated up to fours"
        params = Struct(
            (
                ("input", dims(source)),
                ("weights", Table("weights", "uint32_t", _rows(op.weights), layout)),
                ("output_stage", op.stage.struct()),
            )
        )
        arguments = (_pixels(source), 1, source.channels)
        return KernelCall("binary_dense_mdfa", params, 4 * _row_words(source), arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        del density  # the time depends on geometry only
        (source,) = sources
        call, result = self.kernel_call(op, sources), op.infer(sources)
        code = _THUMB2 if Isa.THUMB2 in core.isas else _THUMB1
        words, outputs = _row_words(source), result.channels
        each = code.stage[result.dtype] + _sum_instructions(code, words)
        instructions = code.call + code.output_word * words_for(outputs)
        instructions += code.parity * words + outputs * each
        return Cost(
            instructions=instructions,
            worst_instructions=ceil(_BOUND_FACTOR * instructions) + _BOUND_MARGIN,
            cycles=_cycles_per_instruction(code, core) * instructions,
            scratch_bytes=call.scratch_bytes,
            flash_bytes=call.weight_bytes + code.code_bytes,
        )


def _rows(weights: NDArray[np.int8]) -> NDArray[np.uint32]:
    """`[output][row word]`: running parities, padded."""
    words = pack_bits(weights).reshape(len(weights), -1)
    padded = np.pad(words, ((0, 0), (0, -words.shape[1] % _QUAD)))
    return np.bitwise_xor.accumulate(padded, axis=1)


def _sum_instructions(code: _Code, words: int) -> int:
    """The sum of one output, from a row of so many words."""
    sixteens, rest = divmod(words, _SIXTEEN)
    return code.sum + code.sixteen * sixteens + code.four * (rest // _QUAD)


def _cycles_per_instruction(code: _Code, core: Core) -> float:
    if core.cpu == "cortex-m7":
        return _CORTEX_M7_CYCLES_PER_INSTRUCTION
    return code.cycles_per_instruction


def _pixels(source: TensorType) -> int:
    return source.elements // source.channels


def _row_words(source: TensorType) -> int:
    words = _pixels(source) * words_for(source.channels)
    return -(-words // _QUAD) * _QUAD
