"""Cases for the f2t kernel: its windows, its tails of channels, weights of one sign."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.geometry import Window
from mcubnn.ops.variants.binary_conv2d_f2t import BinaryConv2dF2t
from tests.kernels.binary_cases import UNLIKE, conv_case, random_convolution, same_size_layer
from tests.kernels.cases import seeds, windows_on
from tests.kernels.harness import Case
from tests.kernels.promises import Goal, Promises

CHANNELS = (1, 3, 8, 9, 16, 17, 32, 33, 64)
F2T = BinaryConv2dF2t()


@st.composite
def random_cases(draw: st.DrawFn, channels: int) -> Case:
    """Any window of stride 1, any padding, classes, one-sided weights."""
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    drawn = draw(windows_on(height, width, 1))
    window = Window(drawn.kernel, (1, 1), drawn.pads, drawn.dilations)
    source = TensorType((height, width, channels), DType.BIT)
    pad_value = draw(st.sampled_from((-1, 0, 1)))
    op = random_convolution(rng, source, draw(st.sampled_from(CHANNELS)), window, pad_value)
    op.weights[: draw(st.integers(0, 2))] = draw(st.sampled_from((-1, 1)))
    return conv_case(draw, rng, F2T, op, source)


def layer(inputs: int, outputs: int, size: int = 16, pad_value: int = -1) -> Case:
    return same_size_layer(F2T, (inputs, outputs), size=size, pad_value=pad_value)


PROMISES = Promises(
    batches=st.tuples(*(random_cases(c) for c in CHANNELS * 2)),
    goals={
        "8 -> 8": Goal(layer(8, 8), 13.0, 17.5),
        "16 -> 16": Goal(layer(16, 16), 7.7, 10.8),
        "16 -> 8": Goal(layer(16, 8), 10.2, 14.0),
        "8 -> 16, 28x28": Goal(layer(8, 16, 28), 9.5, 13.2),
        "32 -> 32": Goal(layer(32, 32), 5.9, 8.4),
        "16 -> 16, exact zero padding": Goal(layer(16, 16, pad_value=0), 9.7, 13.4),
    },
    same_time=[same_size_layer(F2T, (16, 12), pad_value=0, pattern=p) for p in UNLIKE],
)
