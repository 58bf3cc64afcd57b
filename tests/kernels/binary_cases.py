"""Random binary layers, and the inputs and thresholds that variants could get wrong."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from numpy.random import Generator

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.variants.base import KernelVariant
from tests.kernels.cases import INT32_MAX, INT32_MIN, pooled, random_signs
from tests.kernels.harness import Case

PATTERNS = ("zero", "one", "checkerboard", "half", "sparse", "dense", "even")
UNLIKE = ("zero", "one", "checkerboard", "even")
"""Patterns as different as can be."""


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


def random_convolution(
    rng: Generator, source: TensorType, outputs: int, window: Window, pad_value: int
) -> BinaryConv2d:
    """A convolution with random weights and thresholds."""
    channels = source.channels
    shape = (outputs, *window.kernel, channels)
    positions = window.output_size(source.shape[0], source.shape[1])
    stage = threshold_stage(rng, outputs, positions, channels * window.kernel[0] * window.kernel[1])
    return BinaryConv2d(random_signs(rng, shape), window, pad_value, stage)


def conv_case(
    draw: st.DrawFn, rng: Generator, variant: KernelVariant, op: BinaryConv2d, source: TensorType
) -> Case:
    """A convolution on a drawn pattern, in one class if the variant cannot tell so many apart."""
    sample = activations(rng, source.shape, draw(st.sampled_from(PATTERNS)))
    if variant.why_not(op, [source]):
        op = BinaryConv2d(op.weights, op.window, -1, in_one_class(op.stage))
    op = pooled(draw, rng, op, source)
    assert variant.why_not(op, [source]) == ""
    return Case(op, source, sample, variant)


def same_size_layer(
    variant: KernelVariant,
    channels: tuple[int, int],
    *,
    size: int = 16,
    pad_value: int = -1,
    pattern: str = "even",
    pool: Window | None = None,
) -> Case:
    """A 3x3 convolution that keeps the size of a map; channels in and out."""
    rng = np.random.default_rng(sum(channels))
    source = TensorType((size, size, channels[0]), DType.BIT)
    window = Window((3, 3), pads=(1, 1, 1, 1))
    op = random_convolution(rng, source, channels[1], window, pad_value)
    sample = activations(rng, source.shape, pattern)
    op = op.with_stage(in_one_class(op.stage))
    if pool is not None:
        op = op.with_pool(BitMaxPool(pool, rng.random(channels[1]) < 0.5))
    return Case(op, source, sample, variant)


def in_one_class(stage: object) -> ThresholdStage:
    """The stage with the same thresholds everywhere."""
    assert isinstance(stage, ThresholdStage)
    return ThresholdStage(None, stage.thresholds[:1], stage.flip)


def in_256_classes(outputs: int) -> ThresholdStage:
    """A stage for a map of 16 by 16 whose positions are all of their own class."""
    position = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return ThresholdStage(position, np.zeros((256, outputs), np.int32), np.zeros(outputs, np.bool_))
