"""Cases for the f2c kernels: what their lists, counters and classes could get wrong."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.geometry import Window
from mcubnn.ops.variants.base import KernelVariant
from mcubnn.ops.variants.binary_conv2d_f2c import BinaryConv2dF2cPixel, BinaryConv2dF2cRows
from mcubnn.ops.variants.binary_dense_f2c import BinaryDenseF2c
from tests.kernels.binary_cases import (
    PATTERNS,
    activations,
    conv_case,
    random_convolution,
    same_size_layer,
    threshold_stage,
)
from tests.kernels.cases import random_signs, seeds, windows_on
from tests.kernels.harness import Case
from tests.kernels.promises import Goal, Promises

CHANNELS = (1, 3, 31, 32, 33, 64, 96)
HALVED = Window((2, 2), (2, 2))
ROWS, PIXEL, DENSE = BinaryConv2dF2cRows(), BinaryConv2dF2cPixel(), BinaryDenseF2c()


@st.composite
def conv_cases(draw: st.DrawFn, variant: KernelVariant, channels: int) -> Case:
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    window = draw(windows_on(height, width, 1))
    if variant is ROWS:  # the same span of padding with a kernel that fills it
        window = Window(window.span, window.strides, window.pads)
    source = TensorType((height, width, channels), DType.BIT)
    pad_value = draw(st.sampled_from((-1, 0, 1)))
    op = random_convolution(rng, source, draw(st.sampled_from(CHANNELS)), window, pad_value)
    return conv_case(draw, rng, variant, op, source)


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


def dense_case(inputs: int, outputs: int, pattern: str) -> Case:
    rng = np.random.default_rng(inputs)
    stage = threshold_stage(rng, outputs, (), inputs)
    op = BinaryDense(random_signs(rng, (outputs, inputs)), stage)
    return Case(op, TensorType((inputs,), DType.BIT), activations(rng, (inputs,), pattern), DENSE)


PROMISES = Promises(
    batches=st.tuples(
        *(conv_cases(variant, c) for variant in (ROWS, PIXEL) for c in CHANNELS * 2),
        *(dense_cases(c) for c in CHANNELS),
    ),
    goals={
        "conv 32": Goal(same_size_layer(ROWS, (32, 32)), 4.9, 5.7, 3.55),
        "conv 64": Goal(same_size_layer(ROWS, (64, 64)), 3.9, 4.35, 2.05),
        "conv 128": Goal(same_size_layer(ROWS, (128, 128)), 3.5, 3.85, 1.5),
        "conv 64, exact zero padding": Goal(
            same_size_layer(ROWS, (64, 64), pad_value=0), 3.8, 4.25, 2.0
        ),
        "conv 64, list per pixel": Goal(same_size_layer(PIXEL, (64, 64)), 5.3, 6.45, 3.45),
        "conv 128, list per pixel": Goal(same_size_layer(PIXEL, (128, 128)), 4.2, 4.85, 2.15),
        "dense 1024 -> 256": Goal(dense_case(1024, 256, "half"), 3.95, 4.5, 1.75),
        "dense 512 -> 32": Goal(dense_case(512, 32, "half"), 7.1, 9.1, 5.05),
        "conv 32, pooled": Goal(same_size_layer(ROWS, (32, 32), pool=HALVED), 5.1, 6.0),
        "conv 64, list per pixel, pooled": Goal(
            same_size_layer(PIXEL, (64, 64), pool=HALVED), 5.4, 6.6
        ),
    },
)
