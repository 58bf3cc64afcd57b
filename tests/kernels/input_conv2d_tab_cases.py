"""Cases for the first layer by tables: random ones, the longest sums, usual layers."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
from numpy.random import Generator

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, ThresholdStage
from mcubnn.ops.variants.input_conv2d_tab import InputConv2dTab
from tests.kernels.cases import pooled, random_signs, random_stage, random_tensor, seeds
from tests.kernels.harness import Case
from tests.kernels.promises import Goal, Promises

TAB = InputConv2dTab()
CHANNELS = (1, 2, 3, 4)
OUTPUTS = (1, 10, 16, 17, 32, 33, 64)
PIXELS = (DType.UINT8, DType.INT8)


def layer(
    rng: Generator, source: TensorType, outputs: int, window: Window, stage: OutputStage
) -> Case:
    """A layer with random weights on a random map, by tables."""
    signs = random_signs(rng, (outputs, *window.kernel, source.channels))
    return Case(InputConv2d(signs, window, None, stage), source, random_tensor(rng, source), TAB)


@st.composite
def random_cases(draw: st.DrawFn, channels: int) -> Case:
    """Windows that may miss the map, any width and stride, classes, flips, constant channels."""
    rng = np.random.default_rng(draw(seeds))
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    top, bottom = draw(st.integers(0, kernel[0])), draw(st.integers(0, kernel[0]))
    left, right = draw(st.integers(0, kernel[1])), draw(st.integers(0, kernel[1]))
    height = draw(st.integers(max(1, kernel[0] - top - bottom), 12))
    width = draw(st.integers(max(1, kernel[1] - left - right), 20))
    strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    window = Window(kernel, strides, (top, left, bottom, right))
    source = TensorType((height, width, channels), draw(st.sampled_from(PIXELS)))
    outputs = draw(st.sampled_from(OUTPUTS))
    stage = random_stage(rng, "bits", outputs, window.output_size(height, width), 600)
    case = layer(rng, source, outputs, window, stage)
    assert isinstance(case.op, InputConv2d)
    case = replace(case, op=pooled(draw, rng, case.op, source))
    assert TAB.why_not(case.op, [source]) == ""
    return case


def longest_sums() -> list[Case]:
    """128 taps whose sums take their extreme values, against thresholds at the extremes."""
    window = Window((8, 16))
    weights = np.ones((16, 8, 16, 1), np.int8)
    weights[8:] = -1
    cases = []
    for dtype in PIXELS:
        limits, source = np.iinfo(np.dtype(dtype.numpy)), TensorType((8, 17, 1), dtype)
        ends = [limits.min * 128, limits.max * 128]
        near = [end + step for end in ends for step in (0, 1)]
        thresholds = np.array([[*near, *(1 - t for t in near)] * 2], np.int32)
        for value in (limits.min, limits.max):
            stage = ThresholdStage(None, thresholds, np.arange(16) % 3 == 0)
            sample: Array = np.full(source.shape, value, dtype.numpy)
            sample[:, 0] = limits.max - (value - limits.min)
            cases.append(Case(InputConv2d(weights, window, None, stage), source, sample, TAB))
    return cases


def square_layer(
    size: int, kernel: int, inputs: int, outputs: int, *, classes: bool, stride: int = 1
) -> Case:
    """A layer padded so that stride 1 keeps the map's size, as first layers usually are.

    Args:
        size: height and width of the map.
        kernel: height and width of the window.
        inputs, outputs: channels.
        classes: whether the thresholds at the border differ, as behind a shifted input.
        stride: down and right.
    """
    rng = np.random.default_rng(size + kernel + inputs + outputs)
    window = Window((kernel, kernel), (stride, stride), (kernel // 2,) * 4)
    position = None
    if classes:
        edge = np.minimum(np.arange(size), 1) + (np.arange(size) == size - 1)
        position = (edge[:, None] * 3 + edge).astype(np.uint8)
    thresholds = rng.integers(-900, 900, (9 if classes else 1, outputs)).astype(np.int32)
    stage = ThresholdStage(position, thresholds, rng.random(outputs) < 0.3)
    return layer(rng, TensorType((size, size, inputs), DType.UINT8), outputs, window, stage)


def flat_inputs() -> list[Case]:
    """One layer on maps of the smallest, the largest and random pixels."""
    case = square_layer(20, 3, 3, 32, classes=True)
    limits = np.iinfo(np.uint8)
    flat = [np.full_like(case.sample, value) for value in (limits.min, limits.max)]
    return [case, *(replace(case, sample=sample) for sample in flat)]


def layers() -> dict[str, Case]:
    """First layers by what they are."""
    sizes = (
        (3, 3, 64, 32, False),
        (3, 3, 32, 32, False),
        (3, 1, 64, 32, False),
        (3, 3, 64, 32, True),
        (3, 1, 16, 28, False),
        (5, 1, 32, 28, False),
        (5, 3, 33, 20, True),
        (1, 3, 40, 9, False),
        (7, 1, 16, 28, False),
    )
    return {
        f"{k}x{k} {i}->{o}, {n}x{n}{', classes' * c}": square_layer(n, k, i, o, classes=c)
        for k, i, o, n, c in sizes
    } | {"3x3 3->32, 40x40, stride 2": square_layer(40, 3, 3, 32, classes=False, stride=2)}


def goals() -> dict[str, Goal]:
    """Every layer; what is promised of some of them."""
    promised = {
        "3x3 3->64, 32x32": (14.4, 20.8),
        "3x3 3->32, 32x32": (14.4, None),
        "3x3 1->64, 32x32": (24.0, 32.0),
    }
    return {name: Goal(case, *promised.get(name, ())) for name, case in layers().items()}


PROMISES = Promises(
    batches=st.tuples(*(random_cases(c) for c in CHANNELS * 6)),
    goals=goals(),
    fixed=longest_sums(),
    same_time=flat_inputs(),
)
