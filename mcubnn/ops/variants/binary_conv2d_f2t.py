"""Convolution of bits with bits for few channels: `mcubnn_binary_conv2d_f2t`.

A word holds one bit of 32 pixels instead of 32 channels, so narrow layers waste no lanes. Which
inputs a channel adds is known here: they are constant lists. The algebra is in the C header.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import WORD_BITS, Array, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.packing import pack_flags, words_for
from mcubnn.ops.variants.base import Core, Cost, Isa, KernelVariant
from mcubnn.ops.variants.f2c_classes import MOST_CLASSES, ThresholdClasses, threshold_classes
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.pooled_cost import pool_instructions

_LIST_STEP = 8
_LEAST_BITS = 6
_MOST_INPUTS = 2**16 - 1


@dataclass(frozen=True)
class _Layout:
    """How lanes and planes lie in memory.

    Attributes:
        pitch: lanes from a row of the output to the next.
        lane_words: words of 32 lanes.
        plane_words: words of an input channel's plane.
        inputs: under a window.
    """

    pitch: int
    lane_words: int
    plane_words: int
    inputs: int

    @property
    def counted(self) -> int:
        """Inputs rounded up as the kernel counts them."""
        return -(-self.inputs // _LIST_STEP) * _LIST_STEP

    @property
    def threshold_bits(self) -> int:
        """Digits of a counter: those of the inputs and one more."""
        return max(_LEAST_BITS, self.inputs.bit_length() + 1)

    @property
    def offset(self) -> int:
        """What counters start with where no input is set."""
        return 2 ** (self.threshold_bits - 1) - 1


@dataclass(frozen=True, eq=False)
class _Lists:
    """What each channel adds.

    Attributes:
        entries: `[...]` the list of all inputs and those of the channels, one after the other.
        eights: `[C_out]` their lengths divided by 8.
        inverted: `[C_out]` whether the weights -1 are listed.
    """

    entries: NDArray[np.int64]
    eights: NDArray[np.int64]
    inverted: NDArray[np.bool_]


class BinaryConv2dF2t(KernelVariant):
    """Lanes are pixels; stride 1."""

    name: ClassVar[str] = "f2t"
    operator: ClassVar[str] = BinaryConv2d.name
    isa: ClassVar[Isa] = Isa.THUMB1
    constant_time: ClassVar[bool] = True

    def why_not(self, op: DeviceOp, sources: Sequence[TensorType]) -> str:
        if not isinstance(op, BinaryConv2d):
            return f"it is {op.name}, not {self.operator}"
        if not isinstance(op.stage, ThresholdStage):
            return "its output is not bits"
        if op.window.strides != (1, 1):
            return f"its stride is {op.window.strides}, not 1"
        inputs = op.weights[0].size
        if inputs > _MOST_INPUTS:
            return f"a sum has {inputs} inputs, more than {_MOST_INPUTS}"
        classes = threshold_classes(op, sources[0]).count
        if classes > MOST_CLASSES:
            return f"its thresholds differ in {classes} ways by position, {MOST_CLASSES} are few"
        return ""

    def kernel_call(self, op: DeviceOp, sources: Sequence[TensorType]) -> KernelCall:
        assert isinstance(op, BinaryConv2d)
        assert isinstance(op.stage, ThresholdStage)
        (source,) = sources
        layout, lists, classes = _layout(op, source), _lists(op), threshold_classes(op, source)
        thresholds = ~_thresholds(op, op.stage, layout, lists, classes)
        inverted = pack_flags(lists.inverted ^ op.stage.flip)
        lanes = None
        if classes.count > 1:
            mask = pack_flags(_class_lanes(layout, classes))
            lanes = Table("lanes", "uint32_t", mask, "[class][lane word], bit per lane")
        entries = "[all, channel][entry], numbers of inputs [kernel_h][kernel_w][channel]"
        params = Struct(
            (
                *op.geometry_params(source),
                ("pad_value", op.pad_value),
                ("threshold_bits", layout.threshold_bits),
                ("classes", classes.count),
                ("lists", Table("lists", "uint16_t", lists.entries, entries)),
                ("list_eights", Table("list_eights", "uint16_t", lists.eights, "[channel]")),
                (
                    "thresholds",
                    Table("thresholds", "uint32_t", thresholds, "[class][channel], complemented"),
                ),
                ("inverted", Table("inverted", "uint32_t", inverted, "bit per channel")),
                ("lanes", lanes),
            )
        )
        words = layout.plane_words * source.channels + layout.counted + 1
        arguments = (layout.plane_words, source.channels, int(np.prod(op.window.kernel)))
        return KernelCall("binary_conv2d_f2t", params, 4 * words, arguments)

    def cost(self, op: DeviceOp, sources: Sequence[TensorType], core: Core, density: float) -> Cost:
        del density  # the time depends on geometry and weights only
        assert isinstance(op, BinaryConv2d)
        call = self.kernel_call(op, sources)
        code = _THUMB2 if Isa.THUMB2 in core.isas else _THUMB1
        instructions = float(code.counts @ _units(op, sources[0], code))
        layout = _layout(op, sources[0])
        pieces = _rows(layout, layout.lane_words) * words_for(op.stage.channels)
        instructions += pool_instructions("f2t", op, sources[0], core, {"piece": pieces})
        return Cost(
            instructions=instructions,
            worst_instructions=ceil(_BOUND_FACTOR * instructions) + _BOUND_MARGIN,
            cycles=_cycles_per_instruction(code, core) * instructions,
            footprint=footprint(call, core),
        )


@dataclass(frozen=True, eq=False)
class _Code:
    """The kernel's code.

    Attributes:
        counts: executed instructions per unit of `_units`.
        block: entries of a block.
        in_block: planes that the adders of a block fill; its carry runs through the others.
        cycles_per_instruction: with zero wait states.
    """

    counts: NDArray[np.float64]
    block: int
    in_block: int
    cycles_per_instruction: float


# Fitted to QEMU -icount of layers with different numbers of channels, taps and classes, built by
# arm-none-eabi-gcc 12.2 -O2, but for an eight, a block, a plane and a digit, which are counted in
# runtime_c/src/thumb*/f2t_sum.S.
_THUMB2 = _Code(np.array([150, 760, 16, 15, 10, 62, 217, 4, 52, 11, 21, 5]), 32, 6, 1.15)
_THUMB1 = _Code(np.array([200, 960, 22, 18, 12, 84, 153, 5, 92, 16, 28, 6]), 16, 5, 1.3)
_CORTEX_M7_CYCLES_PER_INSTRUCTION = 0.75
"""It issues up to two instructions a cycle."""
_BOUND_FACTOR = 1.14
_BOUND_MARGIN = 300
"""For maps of a column or two, whose fixed part counts most."""


def _cycles_per_instruction(code: _Code, core: Core) -> float:
    if core.cpu == "cortex-m7":
        return _CORTEX_M7_CYCLES_PER_INSTRUCTION
    return code.cycles_per_instruction


def _units(op: BinaryConv2d, source: TensorType, code: _Code) -> Array:
    """What the code repeats: the lines below in their order."""
    layout, lists, classes = _layout(op, source), _lists(op), threshold_classes(op, source)
    inputs, outputs = source.channels, op.stage.channels
    words, bits = layout.lane_words, layout.threshold_bits
    counts = np.append(lists.eights, layout.counted // _LIST_STEP)
    blocks, eights = (int(part.sum()) for part in np.divmod(counts, code.block // _LIST_STEP))
    compared, asked = words, 0
    if classes.count > 1:
        compared = int(pack_flags(_class_lanes(layout, classes)).astype(bool).sum())
        asked = words * classes.count
    transposed = layout.plane_words * _transpositions(inputs) + words * _transpositions(outputs)
    return np.array(
        [
            1,
            layout.plane_words * words_for(inputs) + words * words_for(outputs),  # 32 pixels
            _rows(layout, layout.plane_words) * words_for(inputs)
            + _rows(layout, words) * words_for(outputs),  # of them, those in one row of the map
            transposed,
            words * layout.inputs,  # a word of a window
            words * eights,  # eight words are added
            words * blocks,  # a block of words is added
            words * (eights + blocks) * (bits - code.in_block),  # a carry goes through a plane
            words * outputs,  # a channel
            asked * outputs,  # a class whose lanes are looked for
            compared * outputs,  # lanes are compared
            compared * outputs * bits,  # a digit is compared
        ],
        np.float64,
    )


def _rows(layout: _Layout, words: int) -> int:
    """Pieces that the ends of rows and words cut lanes into."""
    return words + (words * WORD_BITS - 1) // layout.pitch


def _transpositions(channels: int) -> int:
    """Exchanges of the transpositions of a pixel's words."""
    whole, rest = divmod(channels, WORD_BITS)
    steps = {0: 0, 8: 12, 16: 32, 32: 80}
    bits = next(size for size in steps if rest <= size)
    return whole * steps[WORD_BITS] + steps[bits]


def _layout(op: BinaryConv2d, source: TensorType) -> _Layout:
    out_h, out_w = op.map_size(source.shape[0], source.shape[1])
    down, right = op.window.span[0] - 1, op.window.span[1] - 1
    pitch = out_w + right
    lane_words = words_for((out_h - 1) * pitch + out_w)
    last = (lane_words - 1) * WORD_BITS + down * pitch + right
    return _Layout(pitch, lane_words, last // WORD_BITS + 2, int(op.weights[0].size))


def _lists(op: BinaryConv2d) -> _Lists:
    """The rarer weights of each channel, filled up by the number behind the last input."""
    positive = op.weights.reshape(len(op.weights), -1) > 0
    inputs = positive.shape[1]
    inverted = 2 * positive.sum(axis=1) > inputs
    parts = [np.minimum(np.arange(-(-inputs // _LIST_STEP) * _LIST_STEP), inputs)]
    for listed in positive ^ inverted[:, None]:
        (entries,) = np.nonzero(listed)
        missing = -len(entries) % _LIST_STEP if len(entries) else _LIST_STEP
        parts.append(np.pad(entries, (0, missing), constant_values=inputs))
    eights = np.array([len(part) // _LIST_STEP for part in parts[1:]])
    return _Lists(np.concatenate(parts), eights, inverted)


def _thresholds(
    op: BinaryConv2d,
    stage: ThresholdStage,
    layout: _Layout,
    lists: _Lists,
    classes: ThresholdClasses,
) -> NDArray[np.uint32]:
    """`[class][channel]`: what the counters are compared with."""
    per_tap = op.weights.sum(axis=-1, dtype=np.int64)
    rows = []
    for row in classes.example_rows:
        for column in classes.example_columns:
            total = per_tap[:, classes.taps(row, column)].sum(axis=1)
            t = stage.thresholds[classes.positions[row, column]].astype(np.int64)
            reach = -((-(t + total)) // 2)
            reach = np.where(lists.inverted, 1 - reach, reach)
            rows.append(np.clip(reach, -layout.inputs, layout.inputs + 1) + layout.offset)
    return np.stack(rows).astype(np.uint32)


def _class_lanes(layout: _Layout, classes: ThresholdClasses) -> NDArray[np.bool_]:
    """`[class][lane]`: which lanes are output pixels of the class."""
    place = classes.rows[:, None] * len(classes.example_columns) + classes.columns
    lanes = np.full((place.shape[0], layout.pitch), -1)
    lanes[:, : place.shape[1]] = place
    flat = np.full(layout.lane_words * WORD_BITS, -1)
    used = min(flat.size, lanes.size)
    flat[:used] = lanes.ravel()[:used]
    return flat == np.arange(classes.count)[:, None]
