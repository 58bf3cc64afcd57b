"""Cost of the portable kernels: linear in how often each of their loops runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.packing import words_for
from mcubnn.ops.pooled import PooledConv2d
from mcubnn.ops.variants.base import Core, Cost
from mcubnn.ops.variants.f2c_classes import taps_inside
from mcubnn.ops.variants.footprint import footprint
from mcubnn.ops.variants.pooled_cost import pool_instructions
from mcubnn.ops.variants.portable_code import is_fitted, portable_code_for

PORTABLE = "portable"

_BOUND_FACTOR = 1.1
"""Above the deviation of the fit."""

_UNFITTED_BOUND_FACTOR = 1.2
"""Of convolutions with binary weights, on cores that take the counts of another core: compiled for
Cortex-M55 they deviate by up to 18 %.
"""

_BOUND_MARGIN = 8
"""For calls that are over before a factor counts."""

_CYCLES_PER_INSTRUCTION = 1.2


def portable_cost(op: DeviceOp, sources: Sequence[TensorType], core: Core) -> Cost:
    """Estimate for the operator's own kernel.

    Its time does not depend on the data, but for a few instructions of an int8 output.
    """
    source, result = sources[0], op.infer(sources)
    code = portable_code_for(core)
    counts = _counts(op, source, result)
    instructions = sum(each * counts[name] for name, each in code.kernels[op.name].items())
    if isinstance(getattr(op, "stage", None), OutputStage):
        instructions += counts["element"] * code.stage[result.dtype]
    if isinstance(op, PooledConv2d):
        instructions += pool_instructions("sums", op, source, core)
    call = op.kernel_call(sources)
    is_close = is_fitted(core) or not isinstance(op, PooledConv2d)
    factor = _BOUND_FACTOR if is_close else _UNFITTED_BOUND_FACTOR
    return Cost(
        instructions=instructions,
        worst_instructions=ceil(factor * instructions) + _BOUND_MARGIN,
        cycles=_CYCLES_PER_INSTRUCTION * instructions,
        footprint=footprint(call, core),
    )


def _counts(op: DeviceOp, source: TensorType, result: TensorType) -> Mapping[str, int]:
    """How often each loop of the kernels runs, by name: outputs first, then what they read."""
    inputs, outputs = source.channels, result.channels
    words, output_words = words_for(inputs), words_for(outputs)
    places = _places(op, source, result)
    pixels = prod(len(along) for along in places)
    counts = {
        "call": 1,
        "pixel": pixels,
        "word": pixels * output_words,
        "element": pixels * outputs,
        "weight": source.elements * outputs,
        "weight_load": source.elements * output_words,
        "weight_word": source.elements // inputs * words * outputs,
    }
    if isinstance(op, InputDense):
        is_scaled = op.channel_multipliers is not None
        loads = {"scaled_channel": inputs, "scaled_load": source.elements}
        counts |= {name: count * output_words * is_scaled for name, count in loads.items()}
    window = getattr(op, "window", None)
    if not isinstance(window, Window):
        return counts
    inside = taps_inside(window, (source.shape[0], source.shape[1]), places)
    rows = sum(count * height for (height, width), count in inside.items() if width)
    empty_rows = sum(count * height for (height, width), count in inside.items() if not width)
    taps = sum(count * height * width for (height, width), count in inside.items())
    placed = outputs * pixels if isinstance(op, BinaryConv2d) and op.pad_value != 0 else 0
    outside = prod(window.kernel) * placed - taps * outputs if placed else 0
    return counts | {
        "output_row": len(places[0]),
        "tap_row": rows * outputs,
        "empty_row": empty_rows * outputs,
        "tap": taps * outputs,
        "tap_word": taps * outputs * words,
        "tap_input": taps * outputs * inputs,
        "load_row": rows * output_words,
        "load_tap": taps * output_words,
        "load_input": taps * output_words * inputs,
        "placed": placed,
        "placed_row": window.kernel[0] * placed,
        "placed_tap": prod(window.kernel) * placed,
        "outside_tap": outside,
        "outside_word": outside * words,
    }


def _places(
    op: DeviceOp, source: TensorType, result: TensorType
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of what is computed; a vector is one pixel."""
    if isinstance(op, PooledConv2d):
        return op.computed(source)
    height, width = result.shape[:2] if len(result.shape) == 3 else (1, 1)
    return np.arange(height), np.arange(width)
