"""Fully connected layer of bits with bits by lists of activations: binary_dense's fast variant."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import ClassVar

import numpy as np

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.packing import words_for
from mcubnn.ops.structs import dims
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.bit_sliced import (
    class_planes,
    entries_problem,
    entry_channels,
    most_entries,
    planes_per_word,
    signs_of,
    stage_problem,
    tables_struct,
)
from mcubnn.ops.variants.f2c_code import CODE_BOUND, code_for, cycles
from mcubnn.ops.variants.f2c_cost import Inputs, Walk, list_instructions
from mcubnn.ops.variants.footprint import footprint


class BinaryDenseF2c(KernelVariant):
    """All inputs in one list, built once and walked for every word of outputs."""

    name: ClassVar[str] = "f2c"
    operator: ClassVar[str] = BinaryDense.name
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = False

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        if not isinstance(op, BinaryDense):
            return f"it is {op.name}, not {self.operator}"
        return stage_problem(op.stage) or entries_problem(_entries(sources[0]))

    def why_not_on(self, op: DeviceOp, sources: Sequence[TensorType], core: Core) -> str:
        del op
        return entries_problem(_entries(sources[0]), most_entries(core))

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, BinaryDense)
        assert isinstance(op.stage, ThresholdStage)
        (source,) = sources
        signs = signs_of(op.weights, op.stage.flip)
        taps = np.ones(source.shape[:-1] or (1,), dtype=np.bool_)
        planes = class_planes(signs, taps, op.stage.thresholds[0])
        params = Struct(
            (
                ("input", dims(source)),
                ("output_channels", op.stage.channels),
                ("tables", tables_struct(signs, planes)),
            )
        )
        kernel = f"{self.operator}_{self.name}"
        arguments = (_pixels(source), 1, source.channels)
        return KernelCall(kernel, params, _scratch_bytes(source), arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        (source,) = sources
        call = self.kernel_call(op, sources)
        entries = _entries(source)
        words = words_for(op.infer(sources).channels)
        inputs, code = Inputs(entries, source.elements, 0), code_for(core)
        walk = Walk(code.sum, inputs, 1, words, planes_per_word(entries))
        around = code.dense + list_instructions(code.list, _pixels(source), source.channels)
        instructions = around + walk.mean_instructions(density)
        return Cost(
            instructions=instructions,
            worst_instructions=ceil(CODE_BOUND * around) + walk.worst_instructions(),
            cycles=cycles(instructions, core),
            footprint=footprint(call, core),
        )


def _pixels(source: TensorType) -> int:
    return source.elements // source.channels


def _entries(source: TensorType) -> int:
    return _pixels(source) * entry_channels(source.channels)


def _scratch_bytes(source: TensorType) -> int:
    """`MCUBNN_BINARY_DENSE_F2C_SCRATCH_BYTES`."""
    return -(-2 * (_entries(source) + _pixels(source)) // 4) * 4
