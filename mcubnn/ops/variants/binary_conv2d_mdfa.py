"""Convolution of bits with bits by full adders: `mcubnn_binary_conv2d_mdfa`.

For outputs other than bits, and for time that does not depend on the data. Each window is gathered
into a row, then each channel is a fully connected output. The kernel knows constant padding only;
exact zeros become -1, and what that changes goes into the output stage's tables (`_stage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import Array, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import windows
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ScoreStage, ThresholdStage
from mcubnn.ops.packing import words_for
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.mdfa_code import (
    code_for,
    cycles,
    row_words,
    weight_rows,
    worst_instructions,
)
from mcubnn.ops.variants.pooled_cost import pool_instructions

_MOST_CLASSES = 256
"""Values of an entry of `position_class`."""
_INT32 = np.iinfo(np.int32)
_GATHER_BOUND = 0.12
"""What the bound adds for gathering windows, whose rows begin and end in many ways at borders."""


class BinaryConv2dMdfa(KernelVariant):
    """One row of weights per output channel, counted in planes; any output stage."""

    name: ClassVar[str] = "mdfa"
    operator: ClassVar[str] = BinaryConv2d.name
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = True

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        if not isinstance(op, BinaryConv2d):
            return f"it is {op.name}, not {self.operator}"
        classes = _classes(op, sources[0])
        if classes.count > _MOST_CLASSES:
            return f"its outputs differ in {classes.count} ways by position, {_MOST_CLASSES} fit"
        return _overflow(op, classes)

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, BinaryConv2d)
        (source,) = sources
        layout = "[channel][row word], each word xor all before it"
        params = Struct(
            (
                *op.geometry_params(source),
                ("pad_value", op.pad_value or -1),
                ("weights", Table("weights", "uint32_t", weight_rows(op.weights), layout)),
                ("output_stage", _stage(op, _classes(op, source)).struct()),
            )
        )
        arguments = (*op.window.kernel, source.channels)
        scratch_bytes = 4 * row_words(_words(op))
        return KernelCall("binary_conv2d_mdfa", params, scratch_bytes, arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        del density  # the time depends on geometry only
        assert isinstance(op, BinaryConv2d)
        (source,) = sources
        call, code = self.kernel_call(op, sources), code_for(core)
        own, (rows, columns) = code.conv, op.computed(source)
        pixels = len(rows) * len(columns)
        inside = int(_taps_inside(op, source)[np.ix_(rows, columns)].sum())
        outside = pixels * op.weights[0, ..., 0].size - inside
        words = words_for(op.weights.shape[-1])
        gather = float(pixels * (own.pixel + own.row * op.window.kernel[0]))
        gather += inside * (own.word * words + own.apart * (op.window.dilations[1] > 1))
        gather += outside * (own.padding_tap + own.padding_word * words)
        sums = code.pixel_instructions(row_words(_words(op)), op.staged_map(source))
        instructions = own.call + own.output_row * len(rows) + pixels * sums + gather
        instructions += pool_instructions("sums", op, source, core)
        return Cost(
            instructions=instructions,
            worst_instructions=worst_instructions(instructions) + ceil(_GATHER_BOUND * gather),
            cycles=cycles(instructions, core),
            footprint=footprint(call, core),
        )


@dataclass(frozen=True, eq=False)
class _Classes:
    """Output pixels by what their sums lack and by class of the output stage.

    Attributes:
        of_pixel: `[out_h, out_w]`, numbered from 0.
        missing: `[classes, C_out]`, sum of the weights that exact zeros fall on.
        position: `[classes]`, class of the output stage.
    """

    of_pixel: NDArray[np.int64]
    missing: NDArray[np.int64]
    position: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.position)


def _taps_inside(op: BinaryConv2d, source: TensorType) -> NDArray[np.int64]:
    """`[out_h, out_w, taps]` in front of the pool: 1 for taps inside the map, else 0."""
    height, width = op.map_size(*source.shape[:2])
    ones = np.ones((1, *source.shape[:2], 1), np.int64)
    return windows(ones, op.window, 0)[0, :height, :width].reshape(height, width, -1)


def _classes(op: BinaryConv2d, source: TensorType) -> _Classes:
    inside = _taps_inside(op, source)
    height, width, taps = inside.shape
    zeros = 1 - inside if op.pad_value == 0 else np.zeros_like(inside)
    position = op.stage.position_class
    if position is None:
        position = np.zeros((height, width), np.uint8)
    pixels = np.concatenate([zeros, position[..., None]], axis=-1).reshape(-1, taps + 1)
    classes, of_pixel = np.unique(pixels, axis=0, return_inverse=True)
    per_tap = op.weights.sum(axis=-1, dtype=np.int64).reshape(-1, taps)
    missing = classes[:, :-1] @ per_tap.T
    return _Classes(of_pixel.reshape(height, width), missing, classes[:, -1])


def _stage(op: BinaryConv2d, classes: _Classes) -> OutputStage:
    """What makes of the kernel's sums what the operator's stage makes of the operator's.

    With -1 in place of zeros a sum has the missing weights subtracted; they are added to it here.
    """
    stage, missing = op.stage, classes.missing
    position = classes.of_pixel.astype(np.uint8) if classes.count > 1 else None
    if isinstance(stage, ThresholdStage):
        thresholds = stage.thresholds[classes.position].astype(np.int64) - missing
        thresholds = np.clip(thresholds, _INT32.min, _INT32.max)
        return ThresholdStage(position, thresholds.astype(np.int32), stage.flip)
    assert isinstance(stage, RequantizeStage | ScoreStage)
    bias = stage.bias[classes.position] + stage.multiplier.astype(np.int64) * missing
    if isinstance(stage, RequantizeStage):
        return replace(stage, position_class=position, bias=bias)
    return replace(stage, position_class=position, bias=bias.astype(np.int32))


def _overflow(op: BinaryConv2d, classes: _Classes) -> str:
    """Why the output stage could not be computed; empty if it can."""
    stage = op.stage
    if isinstance(stage, ThresholdStage) or not classes.missing.any():
        return ""
    assert isinstance(stage, RequantizeStage | ScoreStage)
    multiplier, bias = _largest(stage.multiplier), _largest(stage.bias)
    product, missing = multiplier * op.weights[0].size, multiplier * _largest(classes.missing)
    largest = max(product, bias + missing)
    if isinstance(stage, RequantizeStage):
        largest = product + bias + missing + 2 ** (stage.shift - 1)
    if largest <= np.iinfo(stage.bias.dtype).max:
        return ""
    return f"its output stage would reach {largest} where exact zeros are added"


def _largest(values: Array) -> int:
    """Largest magnitude, as a number of any size."""
    return max(abs(int(values.min())), abs(int(values.max())))


def _words(op: BinaryConv2d) -> int:
    """Words under a window."""
    return int(op.weights[0, ..., 0].size) * words_for(op.weights.shape[-1])
