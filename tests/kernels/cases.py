"""Random cases for the differential tests: hypothesis draws geometry and a seed for the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import hypothesis.strategies as st
import numpy as np
from numpy.random import Generator

from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.int8_conv2d import Int8Conv2d
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ScoreStage, ThresholdStage
from mcubnn.ops.pooled import PooledConv2d
from mcubnn.ops.variants.base import KernelVariant
from tests.kernels.harness import Case

CHANNELS = (1, 31, 32, 33, 63, 64, 65)
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
STAGES = ("bits", "s8", "s32")

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 7)


@st.composite
def windows_on(draw: st.DrawFn, height: int, width: int, beyond: int) -> Window:
    """A window that fits into the padded map; some of its positions may miss the map.

    Args:
        draw: hypothesis.
        height, width: of the map.
        beyond: 1 to allow so much padding that a whole window lies in it, else 0.
    """

    def axis(size: int) -> tuple[int, int, int, int, int]:
        kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        stride, span = draw(st.integers(1, 3)), dilation * (kernel - 1) + 1
        most = span - 1 + beyond
        before, after = draw(st.integers(0, most)), draw(st.integers(0, most))
        missing = max(0, span - size - before - after)  # the padded map must hold the window
        return kernel, stride, before, after + missing, dilation

    rows, columns = axis(height), axis(width)
    return Window(
        (rows[0], columns[0]),
        (rows[1], columns[1]),
        (rows[2], columns[2], rows[3], columns[3]),
        (rows[4], columns[4]),
    )


POOLS = (
    Window((2, 2), (2, 2)),
    Window((3, 3), (3, 3)),
    Window((2, 1), (2, 1)),
    Window((1, 2), (2, 3)),
    Window((2, 2), (3, 3)),
)
"""What a convolution may pool through: squares, one axis only, gaps between the windows."""

Pooled = TypeVar("Pooled", bound=PooledConv2d)


def pooled(draw: st.DrawFn, rng: Generator, op: Pooled, source: TensorType) -> Pooled:
    """A convolution to bits, with a pool or without; minimum in no, some or all channels."""
    height, width = op.map_size(*source.shape[:2])
    fitting = [w for w in POOLS if w.kernel[0] <= height and w.kernel[1] <= width]
    window = draw(st.sampled_from([None, *fitting]))
    if window is None:
        return op
    minimum = rng.random(op.stage.channels) < draw(st.sampled_from((0.0, 0.5, 1.0)))
    return op.with_pool(BitMaxPool(window, minimum))


def accepts(op: DeviceOp, source: TensorType) -> bool:
    """Whether the operator's type rules allow the input."""
    try:
        op.infer([source])
    except TypeRuleError:
        return False
    return True


def random_signs(rng: Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice(np.array([-1, 1], np.int8), shape)


def random_tensor(rng: Generator, tensor: TensorType) -> Array:
    """Values over the whole range of the type, its extremes among them."""
    if tensor.dtype is DType.BIT:
        return random_signs(rng, tensor.shape)
    limits = np.iinfo(np.dtype(tensor.dtype.numpy))
    values = rng.integers(limits.min, limits.max, tensor.shape, limits.dtype, endpoint=True)
    extreme = rng.random(tensor.shape)
    values[extreme < 0.1] = limits.min
    values[extreme > 0.9] = limits.max
    return values


def random_stage(
    rng: Generator, kind: str, channels: int, positions: tuple[int, ...], reach: int
) -> OutputStage:
    """A stage of one of the kinds, with position classes half of the time where there is a map.

    Args:
        rng: source of randomness.
        kind: one of STAGES.
        channels: output channels.
        positions: height and width of the output; empty for a vector.
        reach: usual magnitude of the sums.
    """
    classes = int(rng.integers(1, 4)) if positions else 1
    position = None
    if positions and rng.random() < 0.5:
        position = rng.integers(0, classes, positions, np.uint8)
    shape = (classes, channels)
    if kind == "bits":
        thresholds = rng.integers(-reach, reach + 2, shape).astype(np.int32)
        extreme = rng.random(shape)
        thresholds[extreme < 0.1] = INT32_MIN
        thresholds[extreme > 0.9] = INT32_MAX
        return ThresholdStage(position, thresholds, rng.random(channels) < 0.5)
    if kind == "s8":
        shift = int(rng.choice([1, 2, 8, 31, 32, 45, 62]))
        scale = max(1, min(2**31 - 1, 2**shift * 100 // max(1, reach)))
        bounds = np.sort(rng.integers(-128, 127, (2, channels), np.int8, endpoint=True), axis=0)
        return RequantizeStage(
            position,
            rng.integers(-scale, scale, channels, np.int32, endpoint=True),
            rng.integers(-(2**61), 2**61, shape) >> (61 - min(61, shift + 6)),
            shift,
            bounds[0],
            bounds[1],
        )
    multiplier = rng.integers(-3, 4, channels).astype(np.int32)
    return ScoreStage(position, multiplier, rng.integers(-1000, 1000, shape).astype(np.int32))


@st.composite
def conv_cases(draw: st.DrawFn, name: str, channels: int, kind: str) -> Case:
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(sizes), draw(sizes)
    window = draw(windows_on(height, width, 1))
    outputs = draw(st.sampled_from(CHANNELS))
    positions = window.output_size(height, width)
    shape = (outputs, *window.kernel, channels)
    if name == "binary_conv2d":
        source = TensorType((height, width, channels), DType.BIT)
        reach = channels * window.kernel[0] * window.kernel[1]
        stage = random_stage(rng, kind, outputs, positions, reach)
        pad_value = draw(st.sampled_from((-1, 0, 1)))
        binary = BinaryConv2d(random_signs(rng, shape), window, pad_value, stage)
        op: DeviceOp = pooled(draw, rng, binary, source) if kind == "bits" else binary
        return Case(op, source, random_tensor(rng, source))
    source = TensorType((height, width, channels), draw(st.sampled_from((DType.UINT8, DType.INT8))))
    stage = random_stage(rng, kind, outputs, positions, 2000)
    if name == "input_conv2d":
        multipliers = rng.integers(-9, 10, channels).astype(np.int32)
        scaled = draw(st.booleans())
        first = InputConv2d(
            random_signs(rng, shape), window, multipliers if scaled else None, stage
        )
        op = pooled(draw, rng, first, source) if kind == "bits" else first
    else:
        weights = random_tensor(rng, TensorType(shape, DType.INT8))
        op = Int8Conv2d(weights, window, stage)
    return Case(op, source, random_tensor(rng, source))


@st.composite
def dense_cases(draw: st.DrawFn, name: str, channels: int, kind: str) -> Case:
    rng = np.random.default_rng(draw(seeds))
    is_map = draw(st.booleans())
    shape = (draw(sizes), draw(sizes), channels) if is_map else (channels,)
    outputs = draw(st.sampled_from((*CHANNELS, 10)))
    weights_shape = (outputs, *shape)
    if name == "binary_dense":
        source = TensorType(shape, DType.BIT)
        stage = random_stage(rng, kind, outputs, (), channels)
        op: DeviceOp = BinaryDense(random_signs(rng, weights_shape), stage)
        return Case(op, source, random_tensor(rng, source))
    source = TensorType(shape, draw(st.sampled_from((DType.UINT8, DType.INT8))))
    stage = random_stage(rng, kind, outputs, (), 2000)
    if name == "input_dense":
        multipliers = rng.integers(-9, 10, channels).astype(np.int32)
        scaled = draw(st.booleans())
        signs = random_signs(rng, weights_shape)
        op = InputDense(signs, multipliers if scaled else None, stage)
    else:
        op = Int8Dense(random_tensor(rng, TensorType(weights_shape, DType.INT8)), stage)
    return Case(op, source, random_tensor(rng, source))


@st.composite
def pool_cases(draw: st.DrawFn, name: str, channels: int) -> Case:
    rng = np.random.default_rng(draw(seeds))
    dtypes = (DType.BIT,) if name == "bit_max_pool" else (DType.UINT8, DType.INT8)
    height, width = draw(sizes), draw(sizes)
    source = TensorType((height, width, channels), draw(st.sampled_from(dtypes)))
    minimum = rng.random(channels) < draw(st.sampled_from((0.0, 0.5, 1.0)))
    pool = BitMaxPool if name == "bit_max_pool" else Int8MaxPool
    window = draw(windows_on(height, width, 0))
    for fallback in (Window(window.kernel, window.strides), Window((1, 1), window.strides)):
        if not accepts(pool(window, minimum), source):  # some window misses the map
            window = fallback
    return Case(pool(window, minimum), source, random_tensor(rng, source))


@st.composite
def elementwise_cases(draw: st.DrawFn, name: str, channels: int) -> Case:
    rng = np.random.default_rng(draw(seeds))
    is_map = draw(st.booleans())
    shape = (draw(sizes), draw(sizes), channels) if is_map else (channels,)
    if name == "unpack_bits":
        source = TensorType(shape, DType.BIT)
        return Case(UnpackBits(), source, random_tensor(rng, source))
    dtype = draw(st.sampled_from((DType.UINT8, DType.INT8, DType.INT32)))
    source = TensorType(shape, dtype)
    reach = INT32_MAX - 1 if dtype is DType.INT32 else 200
    stage = random_stage(rng, "bits", channels, shape[:-1], reach)
    assert isinstance(stage, ThresholdStage)
    return Case(Threshold(stage), source, random_tensor(rng, source))


def batches(name: str) -> st.SearchStrategy[tuple[Case, ...]]:
    """Cases of one operator, every channel count and every output stage among them."""
    if name.endswith("_conv2d"):
        return st.tuples(*(conv_cases(name, c, kind) for c in CHANNELS for kind in STAGES))
    if name.endswith("_dense"):
        return st.tuples(*(dense_cases(name, c, kind) for c in CHANNELS for kind in STAGES))
    if name.endswith("_pool"):
        return st.tuples(*(pool_cases(name, c) for c in CHANNELS * 3))
    return st.tuples(*(elementwise_cases(name, c) for c in (*CHANNELS, 3, 4) * 2))


def batches_for(variant: KernelVariant) -> st.SearchStrategy[tuple[Case, ...]]:
    """The same for a variant that can compute all of its operator's cases."""
    drawn = batches(variant.operator)
    return drawn.map(lambda cases: tuple(replace(case, variant=variant) for case in cases))
