"""Random cases for the f2c kernels: what their lists, counters and classes could get wrong."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from numpy.random import Generator

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.variants.base import KernelVariant
from mcubnn.ops.variants.binary_conv2d_f2c import BinaryConv2dF2cPixel, BinaryConv2dF2cRows
from mcubnn.ops.variants.binary_dense_f2c import BinaryDenseF2c
from tests.kernels.cases import INT32_MAX, INT32_MIN, random_signs, seeds, windows_on
from tests.kernels.harness import Case

CHANNELS = (1, 3, 31, 32, 33, 64, 96)
PATTERNS = ("zero", "one", "checkerboard", "half", "sparse", "dense", "even")
ROWS, PIXEL, DENSE = BinaryConv2dF2cRows(), BinaryConv2dF2cPixel(), BinaryDenseF2c()


def activations(rng: Generator, shape: tuple[int, ...], pattern: str) -> Array:
    """Values -1 and +1: constant, regular, exactly half, or random with some density."""
    count = int(np.prod(shape))
    if pattern == "checkerboard":
        return (np.indices(shape).sum(axis=0) % 2 * 2 - 1).astype(np.int8)
    if pattern == "half":
        return rng.permutation(np.arange(count) % 2 * 2 - 1).reshape(shape).astype(np.int8)
    density = {"zero": 0.0, "one": 1.0, "sparse": 0.1, "dense": 0.9, "even": 0.5}[pattern]
    return np.where(rng.random(shape) < density, 1, -1).astype(np.int8)


def threshold_stage(
    rng: Generator, channels: int, positions: tuple[int, ...], reach: int
) -> ThresholdStage:
    """Thresholds near the usual sums, at the ends of their range, always and never reached."""
    classes = int(rng.integers(1, 3)) if positions else 1
    position = None
    if positions and rng.random() < 0.3:
        rows = rng.integers(0, 2, (positions[0], 1))
        columns = rng.integers(0, 2, (1, positions[1]))
        position = ((rows | columns) % classes).astype(np.uint8)
    near = max(1, int(2 * np.sqrt(reach)))
    thresholds = rng.integers(-near, near + 1, (classes, channels))
    ends = rng.choice(
        [INT32_MIN, -reach - 1, -reach, 1 - reach, reach - 1, reach, reach + 1, INT32_MAX],
        thresholds.shape,
    )
    thresholds = np.where(rng.random(thresholds.shape) < 0.2, ends, thresholds)
    return ThresholdStage(position, thresholds.astype(np.int32), rng.random(channels) < 0.4)


def conv_case(
    rng: Generator, source: TensorType, outputs: int, window: Window, pad_value: int
) -> BinaryConv2d:
    """A convolution with random weights and thresholds."""
    channels = source.channels
    shape = (outputs, *window.kernel, channels)
    positions = window.output_size(source.shape[0], source.shape[1])
    stage = threshold_stage(rng, outputs, positions, channels * window.kernel[0] * window.kernel[1])
    return BinaryConv2d(random_signs(rng, shape), window, pad_value, stage)


@st.composite
def conv_cases(draw: st.DrawFn, variant: KernelVariant, channels: int) -> Case:
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    window = draw(windows_on(height, width, 1))
    if variant is ROWS:
        window = _without_dilation(window)
    source = TensorType((height, width, channels), DType.BIT)
    pad_value = draw(st.sampled_from((-1, 0, 1)))
    op = conv_case(rng, source, draw(st.sampled_from(CHANNELS)), window, pad_value)
    sample = activations(rng, source.shape, draw(st.sampled_from(PATTERNS)))
    if variant.why_not(op, [source]):  # too many classes
        assert isinstance(op.stage, ThresholdStage)
        stage = ThresholdStage(None, op.stage.thresholds[:1], op.stage.flip)
        op = BinaryConv2d(op.weights, window, -1, stage)
    assert variant.why_not(op, [source]) == ""
    return Case(op, source, sample, variant)


@st.composite
def dense_cases(draw: st.DrawFn, channels: int) -> Case:
    rng = np.random.default_rng(draw(seeds))
    is_map = draw(st.booleans())
    sides = st.integers(1, 9)
    shape = (draw(sides), draw(sides), channels) if is_map else (channels * draw(sides),)
    outputs = draw(st.sampled_from((*CHANNELS, 10)))
    source = TensorType(shape, DType.BIT)
    stage = threshold_stage(rng, outputs, (), source.elements)
    op = BinaryDense(random_signs(rng, (outputs, *shape)), stage)
    sample = activations(rng, shape, draw(st.sampled_from(PATTERNS)))
    return Case(op, source, sample, DENSE)


def batches() -> st.SearchStrategy[tuple[Case, ...]]:
    """Cases of all three kernels with every channel count."""
    convolutions = [conv_cases(variant, c) for variant in (ROWS, PIXEL) for c in CHANNELS * 2]
    return st.tuples(*convolutions, *(dense_cases(c) for c in CHANNELS))


def _without_dilation(window: Window) -> Window:
    """The same span of padding with a kernel that fills it."""
    return Window(window.span, window.strides, window.pads)
