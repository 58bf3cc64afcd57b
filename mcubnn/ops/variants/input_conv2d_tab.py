"""First layer by tables of sums: `mcubnn_input_conv2d_tab`.

The taps of a kernel row are cut into groups. For each group the kernel tabulates the sum of its
pixels under every combination of signs, for eight neighbouring windows at once; a channel then
costs one table entry per group instead of one step per tap. Layout and exactness: the C header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.packing import words_for
from mcubnn.ops.structs import pixel_type
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.pooled_cost import pool_instructions

_BLOCK_CHANNELS = 16
_BLOCK_COLUMNS = 8
_QUAD_BYTES = 16
_MOST_GROUPS = 31
_MOST_GROUP_TAPS = 7
_USUAL_GROUP_TAPS = 5  # a table of 2^6 quads costs more RAM and time than two of 2^3
_MOST_TABLE_BYTES = 2**16
_SPARE_BYTES = 2048
_BIAS = 2**15


@dataclass(frozen=True)
class _Layout:
    """How the taps are grouped and where the tables lie.

    Attributes:
        kernel_height: rows of the window.
        group_taps: taps of each group of a kernel row.
        channels: output channels, padded to whole blocks.
    """

    kernel_height: int
    group_taps: tuple[int, ...]
    channels: int

    @property
    def groups(self) -> int:
        return self.kernel_height * len(self.group_taps)

    @property
    def row_quads(self) -> int:
        """Table entries for one row of the map."""
        return sum(2**taps for taps in self.group_taps)

    @property
    def table_bytes(self) -> int:
        """What offsets must reach."""
        return self.kernel_height * self.row_quads * _QUAD_BYTES

    @property
    def row_slots(self) -> int:
        """Rows of the map whose tables have room: the window's and, if they are small, more."""
        spare = _SPARE_BYTES // (self.row_quads * _QUAD_BYTES)
        return self.kernel_height + min(self.kernel_height - 1, spare)

    @property
    def steps(self) -> int:
        """Roughly the instructions for eight pixels, to choose between layouts."""
        return 7 * self.groups * self.channels + 8 * self.row_quads


@dataclass(frozen=True)
class _Code:
    """The kernel's code.

    Attributes:
        counts: executed instructions per unit of `_units`.
        cycles_per_instruction: without wait states.
    """

    counts: Mapping[str, float]
    cycles_per_instruction: float


# Fitted to QEMU -icount of 120 random layers, built by arm-none-eabi-gcc 12.2 -O2; they deviate by
# up to 2 %. The assembly's loops come out as counted there.
_THUMB2 = _Code(
    {
        "call": 355,
        "column": 159,
        "map_row": 69,
        "sample": 6.2,
        "pair": 6.3,
        "zero_pair": 2.3,
        "table": 14.7,
        "tap": 22.9,
        "entry": 7.0,
        "slide": 20,
        "slide_word": 0.5,
        "row": 70.7,
        "channel": 14.4,
        "channel_group": 7.0,
        "word": 78.1,
        "pixel_word": 2.4,
        "fill": 56,
        "start": 28.5,
        "classes": 51,
    },
    1.75,
)
_THUMB1 = _Code(
    {
        "call": 498,
        "column": 212,
        "map_row": 80,
        "sample": 7.2,
        "pair": 8.3,
        "zero_pair": 2.8,
        "table": 39.7,
        "tap": 35.7,
        "entry": 10.0,
        "slide": 22,
        "slide_word": 0.75,
        "row": 96.6,
        "channel": 29.7,
        "channel_group": 8.0,
        "word": 84.8,
        "pixel_word": 6.3,
        "fill": 90,
        "start": 40.4,
        "classes": 69,
    },
    1.55,
)
_BOUND_FACTOR = 1.1
"""Above the deviation of the fit."""


class InputConv2dTab(KernelVariant):
    """For every core: Thumb-2 and Thumb-1 have assembly of their own behind one name."""

    name: ClassVar[str] = "tab"
    operator: ClassVar[str] = "input_conv2d"
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = True

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        if not isinstance(op, InputConv2d) or not isinstance(op.stage, ThresholdStage):
            return "it writes bits only"
        return next(_problems(op, sources[0].dtype), "")

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, InputConv2d)
        (source,) = sources
        layout, position = _layout(op), op.stage.position_class
        assert layout is not None
        weights, thresholds = _folded(op, source.dtype)
        offsets = Table(
            "offsets", "uint16_t", _offsets(weights, layout), "[channel][kernel_h][group], bytes"
        )
        starts = (_BIAS - thresholds).astype(np.uint16)
        classes = None
        if position is not None:
            classes = Table("position_class", "uint8_t", position, "[out_h][out_w], row of starts")
        params = Struct(
            (
                *op.geometry_params(source),
                ("input_type", pixel_type(source.dtype)),
                ("row_groups", len(layout.group_taps)),
                ("row_slots", layout.row_slots),
                ("offsets", offsets),
                ("starts", Table("starts", "uint16_t", starts, "[class][channel]")),
                ("position_class", classes),
            )
        )
        arguments = (
            *(op.window.kernel[1], op.window.strides[1], len(layout.group_taps)),
            *(layout.row_slots, source.channels, len(op.weights)),
        )
        return KernelCall("input_conv2d_tab", params, _scratch_bytes(op, layout), arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        del density  # the time depends on geometry and position classes only
        assert isinstance(op, InputConv2d)
        layout, call = _layout(op), self.kernel_call(op, sources)
        assert layout is not None
        code = _THUMB2 if Isa.THUMB2 in core.isas else _THUMB1
        units = _units(op, sources[0], layout)
        instructions = sum(each * units[name] for name, each in code.counts.items())
        others = {"column": units["column"], "block_word": units["word"]}
        instructions += pool_instructions("tab", op, sources[0], core, others)
        return Cost(
            instructions=instructions,
            worst_instructions=ceil(_BOUND_FACTOR * instructions),
            cycles=instructions * code.cycles_per_instruction,
            footprint=footprint(call, core),
        )


def _problems(op: InputConv2d, dtype: DType) -> Iterator[str]:
    """Which rules of the C header the operator breaks."""
    if op.channel_multipliers is not None:
        yield "it has no channel multipliers"
    if op.window.dilations != (1, 1):
        yield "its dilations are 1"
    layout = _layout(op)
    if layout is None:
        yield f"the window needs more than {_MOST_GROUPS} groups of {_MOST_GROUP_TAPS} taps"
    elif layout.table_bytes > _MOST_TABLE_BYTES:
        yield f"its tables would take more than {_MOST_TABLE_BYTES} bytes"
    if not _fits_half_words(op, dtype):
        yield "a sum minus its threshold may leave 16 bits"


def _layout(op: InputConv2d) -> _Layout | None:
    """The grouping with the fewest steps among those with few RAM; None if there is none."""
    height, width, inputs = op.weights.shape[1:]
    taps, channels = width * inputs, -(-len(op.weights) // _BLOCK_CHANNELS) * _BLOCK_CHANNELS
    most = min(taps, _MOST_GROUPS // height)
    layouts = [
        _Layout(height, tuple(len(part) for part in np.array_split(range(taps), groups)), channels)
        for groups in range(1, most + 1)
    ]
    for largest in range(_USUAL_GROUP_TAPS, _MOST_GROUP_TAPS + 1):
        fitting = [layout for layout in layouts if layout.group_taps[0] <= largest]
        if fitting:
            return min(fitting, key=lambda layout: layout.steps)
    return None


def _folded(op: InputConv2d, dtype: DType) -> tuple[Array, Array]:
    """Weights and thresholds `[classes, C]` without flips, padded to blocks of channels.

    `(sum >= t) xor 1` is `-sum >= 1 - t`. Thresholds beyond the possible sums are brought to the
    nearest that decides alike. Padding channels have a threshold no sum reaches.
    """
    assert isinstance(op.stage, ThresholdStage)
    flip, count = op.stage.flip, len(op.weights)
    missing = -count % _BLOCK_CHANNELS
    signs = np.where(flip, -1, 1)
    weights = op.weights * signs[:, None, None, None]
    weights = np.pad(weights, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=-1)
    thresholds = op.stage.thresholds.astype(np.int64)
    thresholds = np.where(flip, 1 - thresholds, thresholds)
    never = np.iinfo(np.int32).max
    thresholds = np.pad(thresholds, ((0, 0), (0, missing)), constant_values=never)
    low, high = _sum_range(weights, dtype)
    return weights, np.clip(thresholds, low, high + 1)


def _sum_range(weights: Array, dtype: DType) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Smallest and largest sum of each channel; 0 is a pixel's value outside the map."""
    pixels = np.iinfo(np.dtype(dtype.numpy))
    least, most = min(0, int(pixels.min)), int(pixels.max)
    plus = (weights > 0).sum(axis=(1, 2, 3), dtype=np.int64)
    minus = weights[0].size - plus
    return least * plus - most * minus, most * plus - least * minus


def _fits_half_words(op: InputConv2d, dtype: DType) -> bool:
    """No sum minus its threshold leaves int16, so that start values fit 16 bits as well."""
    weights, thresholds = _folded(op, dtype)
    low, high = _sum_range(weights, dtype)
    return bool((low - thresholds >= -_BIAS).all() and (high - thresholds < _BIAS).all())


def _offsets(weights: Array, layout: _Layout) -> NDArray[np.uint16]:
    """`[channel][kernel_h][group]` byte offsets into the tables, and one more."""
    channels, height = len(weights), layout.kernel_height
    positive = weights.reshape(channels, height, -1) > 0
    rows = np.arange(height) * layout.row_quads
    columns, quads, tap = [], 0, 0
    for taps in layout.group_taps:
        signs = positive[:, :, tap : tap + taps] @ (1 << np.arange(taps))
        columns.append(rows + quads + signs)
        quads, tap = quads + 2**taps, tap + taps
    entries = np.stack(columns, axis=2) * _QUAD_BYTES
    return np.append(entries.ravel(), 0).astype(np.uint16)


def _scratch_bytes(op: InputConv2d, layout: _Layout) -> int:
    """As MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES: tables, start values, one row, bits."""
    width, inputs = op.weights.shape[2:]
    quads = layout.row_slots * layout.row_quads + layout.channels + 2 * words_for(layout.channels)
    return quads * _QUAD_BYTES + 4 * (2 * width + 10 * op.window.strides[1]) * inputs


def _units(op: InputConv2d, source: TensorType, layout: _Layout) -> Mapping[str, float]:
    """What the code repeats, by name, for all columns of blocks."""
    step = op.weights.shape[3] * op.window.strides[1]
    height, width = op.map_size(*source.shape[:2])
    rows = len(op.computed(source)[0])
    columns, words = -(-width // _BLOCK_COLUMNS), words_for(len(op.weights))
    map_rows = (height - 1) * op.window.strides[0] + layout.kernel_height
    inside = min(map_rows, op.window.pads[0] + source.shape[0]) - min(map_rows, op.window.pads[0])
    taps = sum(layout.group_taps)
    pairs = taps + 3 * step
    fills = 1 + _class_changes(op, source)
    slides, slide_words = _slides(layout, map_rows)
    one_column = {
        "column": 1,
        "map_row": map_rows,
        "pair": inside * pairs,
        "zero_pair": (map_rows - inside) * pairs,
        "table": map_rows * len(layout.group_taps),
        "tap": map_rows * taps,
        "entry": map_rows * layout.row_quads,
        "slide": slides,
        "slide_word": slide_words,
        "row": rows,
        "channel": rows * layout.channels,
        "channel_group": rows * layout.channels * layout.groups,
        "word": rows * words,
        "classes": 0 if op.stage.position_class is None else rows,
    }
    units = {name: float(columns * count) for name, count in one_column.items()}
    units["sample"] = inside * _samples(op, source)
    units |= {"call": 1, "pixel_word": rows * width * words}
    return units | {"fill": fills, "start": fills * layout.channels}


def _samples(op: InputConv2d, source: TensorType) -> int:
    """Samples of one row of the map that are read: those inside, for each block of columns."""
    stride, left = op.window.strides[1], op.window.pads[1]
    total, width = 0, op.map_size(*source.shape[:2])[1]
    for column in range(0, width, _BLOCK_COLUMNS):
        first = column * stride - left
        last = first + op.window.kernel[1] + (_BLOCK_COLUMNS - 1) * stride
        total += max(0, min(last, source.shape[1]) - max(first, 0))
    return total * op.weights.shape[3]


def _slides(layout: _Layout, map_rows: int) -> tuple[int, int]:
    """How often the tables move to the front, and the words moved altogether."""
    shared = layout.kernel_height - 1
    room = layout.row_slots - shared
    slides = max(0, map_rows - layout.row_slots + room - 1) // room if shared else 0
    return slides, slides * shared * layout.row_quads * (_QUAD_BYTES // 4)


def _class_changes(op: InputConv2d, source: TensorType) -> int:
    """How often the position classes differ between a block and the one computed before it."""
    if op.stage.position_class is None:
        return 0
    position = op.stage.position_class[op.computed(source)[0]]
    changes, before = 0, np.zeros(_BLOCK_COLUMNS, np.uint8)
    for column in range(0, position.shape[1], _BLOCK_COLUMNS):
        for row in position[:, column : column + _BLOCK_COLUMNS]:
            changes += int((before[: len(row)] != row).any())
            before[: len(row)] = row
    return changes
