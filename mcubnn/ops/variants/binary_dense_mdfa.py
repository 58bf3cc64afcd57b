"""Fully connected layer of bits with bits by full adders: `mcubnn_binary_dense_mdfa`.

For few outputs, and for outputs other than bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.packing import words_for
from mcubnn.ops.structs import dims
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.mdfa_code import (
    code_for,
    cycles,
    row_words,
    weight_rows,
    worst_instructions,
)


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
        layout = "[output][row word], each word xor all before it"
        params = Struct(
            (
                ("input", dims(source)),
                ("weights", Table("weights", "uint32_t", weight_rows(op.weights), layout)),
                ("output_stage", op.stage.struct()),
            )
        )
        arguments = (_pixels(source), 1, source.channels)
        return KernelCall("binary_dense_mdfa", params, 4 * row_words(_words(source)), arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        del density  # the time depends on geometry only
        (source,) = sources
        call, code, words = self.kernel_call(op, sources), code_for(core), _words(source)
        instructions = code.dense.call + code.dense.word * words
        instructions += code.pixel_instructions(row_words(words), op.infer(sources))
        return Cost(
            instructions=instructions,
            worst_instructions=worst_instructions(instructions),
            cycles=cycles(instructions, core),
            footprint=footprint(call, core),
        )


def _pixels(source: TensorType) -> int:
    return source.elements // source.channels


def _words(source: TensorType) -> int:
    return _pixels(source) * words_for(source.channels)
