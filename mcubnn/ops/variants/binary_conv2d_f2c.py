"""Convolution of bits with bits by lists of activations: binary_conv2d's fast variants."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table, Value
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.packing import words_for
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.bit_sliced import (
    MOST_ENTRIES,
    Signs,
    class_planes,
    entries_problem,
    entry_channels,
    most_entries,
    planes_per_word,
    signs_of,
    stage_problem,
    tables_struct,
)
from mcubnn.ops.variants.f2c_classes import (
    MOST_CLASSES,
    ThresholdClasses,
    taps_inside,
    threshold_classes,
)
from mcubnn.ops.variants.f2c_code import CODE_BOUND, Code, SumCode, code_for, cycles
from mcubnn.ops.variants.f2c_cost import (
    Inputs,
    Walk,
    list_instructions,
    listed_pixel_instructions,
)
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.pooled_cost import pool_instructions

MOST_ROWS = 11
"""Greatest kernel height of `f2c_rows`, `MCUBNN_BINARY_CONV2D_F2C_ROWS_MOST_ROWS`."""


@dataclass(frozen=True)
class Around:
    """Instructions of a call apart from mcubnn_f2c_sum.

    Attributes:
        call: those that all pixels share.
        pixel: of each output pixel.
        row: of each row of a window with taps that have entries.
        listed_tap: of each tap that has entries, for lists that serve one pixel only.
        list_call: of each call of mcubnn_f2c_list, likewise.
        unset: of a pixel, in addition, if its unset inputs are walked.
        unset_row: likewise of a row of its window.
    """

    call: int
    pixel: int
    row: int
    listed_tap: int
    list_call: int
    unset: int
    unset_row: int

    def instructions(self, rows: int, taps: int, list_calls: int, unset_share: float) -> float:
        """Those of one pixel."""
        fixed = self.pixel + self.row * rows + self.listed_tap * taps
        unset = unset_share * (self.unset + self.unset_row * rows)
        return fixed + self.list_call * list_calls + unset


class BinaryConv2dF2c(KernelVariant):
    """What both forms of the lists have in common."""

    operator: ClassVar[str] = BinaryConv2d.name
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = False

    @abstractmethod
    def geometry_problem(self, op: BinaryConv2d, source: TensorType) -> str:
        """Why this form of lists cannot do this geometry; empty if it can."""

    @abstractmethod
    def scratch_bytes(self, op: BinaryConv2d, source: TensorType) -> int:
        """Working memory."""

    @abstractmethod
    def scratch_arguments(self, op: BinaryConv2d, source: TensorType) -> tuple[int, ...]:
        """Arguments of the header's macro for it."""

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        if not isinstance(op, BinaryConv2d):
            return f"it is {op.name}, not {self.operator}"
        (source,) = sources
        problem = (
            stage_problem(op.stage)
            or entries_problem(_window_entries(op))
            or self.geometry_problem(op, source)
        )
        if problem:
            return problem
        classes = threshold_classes(op, source).count
        if classes > MOST_CLASSES:
            return f"its thresholds differ in {classes} ways by position, {MOST_CLASSES} are few"
        return ""

    def why_not_on(self, op: DeviceOp, sources: Sequence[TensorType], core: Core) -> str:
        assert isinstance(op, BinaryConv2d)
        most = most_entries(core)
        return entries_problem(_window_entries(op), most) or self.row_problem(op, sources[0], most)

    def row_problem(self, op: BinaryConv2d, source: TensorType, most: int) -> str:
        """Why a list would have too many entries, the greatest number being `most`."""
        del op, source, most
        return ""

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, BinaryConv2d)
        assert isinstance(op.stage, ThresholdStage)
        (source,) = sources
        signs = signs_of(op.weights, op.stage.flip)
        classes = threshold_classes(op, source)
        params = Struct(
            (
                *op.geometry_params(source),
                ("pad_value", op.pad_value),
                ("tables", tables_struct(signs, _planes(signs, classes, op.stage))),
                *_class_tables(classes),
            )
        )
        kernel = f"{self.operator}_{self.name}"
        arguments = self.scratch_arguments(op, source)
        return KernelCall(kernel, params, self.scratch_bytes(op, source), arguments)

    @abstractmethod
    def around(self, op: BinaryConv2d, source: TensorType, code: Code) -> Around:
        """Instructions of the kernel itself and of building lists."""

    @abstractmethod
    def segments(self, rows: int) -> int:
        """Lists that the inputs under so many rows of a window lie in."""

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        assert isinstance(op, BinaryConv2d)
        (source,) = sources
        call = self.kernel_call(op, sources)
        code = code_for(core)
        around = self.around(op, source, code)
        mean = around.call + pool_instructions("f2c", op, source, core)
        worst = CODE_BOUND * mean
        for (rows, columns), count in taps_inside(
            op.window, _map_size(source), op.computed(source)
        ).items():
            inputs, padding_taps = _inputs(op, rows * columns)
            listed_rows = rows if op.pad_value == 0 else op.window.kernel[0]
            taps = rows * columns + padding_taps
            calls = rows * _list_calls(op, columns) + padding_taps
            walk = self._walk(op, code.sum, inputs, listed_rows)
            share = inputs.unset_share(density)
            mean += count * around.instructions(listed_rows, taps, calls, share)
            worst += CODE_BOUND * count * around.instructions(listed_rows, taps, calls, 1)
            mean += count * walk.mean_instructions(density)
            worst += count * walk.worst_instructions()
        return Cost(
            instructions=mean,
            worst_instructions=ceil(worst),
            cycles=cycles(mean, core),
            footprint=footprint(call, core),
        )

    def _walk(self, op: BinaryConv2d, code: SumCode, inputs: Inputs, rows: int) -> Walk:
        planes = planes_per_word(_window_entries(op))
        return Walk(code, inputs, self.segments(rows), words_for(op.stage.channels), planes)


class BinaryConv2dF2cRows(BinaryConv2dF2c):
    """Lists of whole rows of the map, each built once and used by all windows over it."""

    name: ClassVar[str] = "f2c_rows"

    def geometry_problem(self, op: BinaryConv2d, source: TensorType) -> str:
        if op.window.dilations != (1, 1):
            return f"its dilation is {op.window.dilations}, not 1"
        if op.window.kernel[0] > MOST_ROWS:
            return f"its kernel has {op.window.kernel[0]} rows, more than {MOST_ROWS}"
        return self.row_problem(op, source, MOST_ENTRIES)

    def row_problem(self, op: BinaryConv2d, source: TensorType, most: int) -> str:
        row_entries = _listed_size(op, source)[1] * entry_channels(source.channels)
        if row_entries < most:
            return ""
        return f"a row of the map has {row_entries} channels, {most} or more"

    def scratch_bytes(self, op: BinaryConv2d, source: TensorType) -> int:
        """`MCUBNN_BINARY_CONV2D_F2C_ROWS_SCRATCH_BYTES`."""
        columns = _listed_size(op, source)[1]
        halfwords = op.window.kernel[0] * (columns * (entry_channels(source.channels) + 1) + 1)
        return _pixel_bytes(op, source) + -(-2 * halfwords // 4) * 4

    def scratch_arguments(self, op: BinaryConv2d, source: TensorType) -> tuple[int, ...]:
        columns = _listed_size(op, source)[1]
        return (op.window.kernel[0], columns, source.channels, _pooled_channels(op))

    def segments(self, rows: int) -> int:
        return rows

    def around(self, op: BinaryConv2d, source: TensorType, code: Code) -> Around:
        out_h = len(op.computed(source)[0])
        own, columns = code.rows, _listed_size(op, source)[1]
        rows, inside_rows = _listed_rows(op, source)
        inside = min(columns - min(op.window.pads[1], columns), source.shape[1])
        if op.pad_value == 0:
            inside = columns
        padding = rows * columns - inside_rows * inside
        pad_pixel = own.padding + list_instructions(code.list, 1, source.channels)
        lists = rows * own.listed_row + padding * pad_pixel
        lists += inside_rows * list_instructions(code.list, inside, source.channels)
        clipped = own.clipped if op.pad_value == 0 and op.window.has_padding else 0
        return Around(
            call=own.call + out_h * (own.output_row + own.window_row * op.window.kernel[0]) + lists,
            pixel=own.pixel + clipped,
            row=own.row,
            listed_tap=0,
            list_call=0,
            unset=own.unset,
            unset_row=own.unset_row,
        )


class BinaryConv2dF2cPixel(BinaryConv2dF2c):
    """One list of the inputs under a window, built anew for every output pixel."""

    name: ClassVar[str] = "f2c_pixel"

    def geometry_problem(self, op: BinaryConv2d, source: TensorType) -> str:
        del op, source
        return ""

    def scratch_bytes(self, op: BinaryConv2d, source: TensorType) -> int:
        """`MCUBNN_BINARY_CONV2D_F2C_PIXEL_SCRATCH_BYTES`."""
        halfwords = _window_entries(op) + op.window.kernel[1]
        return _pixel_bytes(op, source) + -(-2 * halfwords // 4) * 4

    def scratch_arguments(self, op: BinaryConv2d, source: TensorType) -> tuple[int, ...]:
        return (*op.window.kernel, source.channels, _pooled_channels(op))

    def segments(self, rows: int) -> int:
        del rows
        return 1

    def around(self, op: BinaryConv2d, source: TensorType, code: Code) -> Around:
        out_h = len(op.computed(source)[0])
        own = code.pixel
        return Around(
            call=own.call + own.output_row * out_h,
            pixel=own.pixel,
            row=own.row,
            listed_tap=listed_pixel_instructions(code.list, source.channels),
            list_call=own.list_call + code.list.call,
            unset=own.unset,
            unset_row=0,
        )


def _window_entries(op: BinaryConv2d) -> int:
    return op.window.kernel[0] * op.window.kernel[1] * entry_channels(op.weights.shape[-1])


def _pooled_channels(op: BinaryConv2d) -> int:
    """Output channels, if a pixel of them has to wait for being pooled; else 0."""
    return op.stage.channels if op.pool else 0


def _pixel_bytes(op: BinaryConv2d, source: TensorType) -> int:
    """A pixel of padding, and one that waits for being pooled."""
    return 4 * (words_for(source.channels) + words_for(_pooled_channels(op)))


def _map_size(source: TensorType) -> tuple[int, int]:
    return source.shape[0], source.shape[1]


def _inputs(op: BinaryConv2d, taps: int) -> tuple[Inputs, int]:
    """The inputs of a sum with so many taps inside the map, and its taps that are padding."""
    channels = op.weights.shape[-1]
    padding_taps = 0
    if op.pad_value != 0:
        padding_taps = op.window.kernel[0] * op.window.kernel[1] - taps
    set_constants = padding_taps * channels if op.pad_value > 0 else 0
    entries = (taps + padding_taps) * entry_channels(channels)
    return Inputs(entries, taps * channels, set_constants), padding_taps


def _list_calls(op: BinaryConv2d, columns: int) -> int:
    """Calls of mcubnn_f2c_list for so many columns of one row of the input."""
    return columns if op.window.dilations[1] > 1 else min(columns, 1)


def _listed_size(op: BinaryConv2d, source: TensorType) -> tuple[int, int]:
    """Rows and columns of the map whose pixels are entered into lists."""
    if op.pad_value == 0:
        return source.shape[0], source.shape[1]
    out_h, out_w = op.map_size(source.shape[0], source.shape[1])
    return (
        (out_h - 1) * op.window.strides[0] + op.window.span[0],
        (out_w - 1) * op.window.strides[1] + op.window.span[1],
    )


def _listed_rows(op: BinaryConv2d, source: TensorType) -> tuple[int, int]:
    """Rows of the map under any window, and those of them that are not padding."""
    output_rows = op.computed(source)[0]
    taps = threshold_classes(op, source).row_taps[output_rows]
    first = output_rows * op.window.strides[0] - op.window.pads[0]
    rows = np.unique((first[:, None] + np.arange(taps.shape[1]))[taps])
    return len(rows), int(((rows >= 0) & (rows < source.shape[0])).sum())


def _planes(signs: Signs, classes: ThresholdClasses, stage: ThresholdStage) -> NDArray[np.uint32]:
    """`[class][set, unset][output word][plane]`, the column class running fastest."""
    return np.stack(
        [
            class_planes(
                signs, classes.taps(row, column), stage.thresholds[classes.positions[row, column]]
            )
            for row in classes.example_rows
            for column in classes.example_columns
        ]
    )


def _class_tables(classes: ThresholdClasses) -> tuple[tuple[str, Value], ...]:
    if classes.count == 1:
        return (("row_class", None), ("column_class", None))
    rows = classes.rows * len(classes.example_columns)
    row_table = Table("row_class", "uint16_t", rows, "[out_h], first threshold class of the row")
    columns = Table("column_class", "uint16_t", classes.columns, "[out_w], added to row_class")
    return (("row_class", row_table), ("column_class", columns))
