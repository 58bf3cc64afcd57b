"""Cases for the mdfa convolution: every window and padding, every output stage."""

from __future__ import annotations

import numpy as np

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.variants.binary_conv2d_mdfa import BinaryConv2dMdfa
from tests.kernels.binary_cases import UNLIKE, activations
from tests.kernels.cases import batches_for, random_signs, random_stage
from tests.kernels.harness import Case
from tests.kernels.promises import Goal, Promises

MDFA = BinaryConv2dMdfa()
SAME_SIZE = Window((3, 3), pads=(1, 1, 1, 1))
POINT = Window((1, 1))
DILATED = Window((3, 3), dilations=(2, 2))


def layer(
    channels: tuple[int, int],
    kind: str = "s32",
    *,
    window: Window = SAME_SIZE,
    pad_value: int = 0,
    pattern: str = "even",
) -> Case:
    """A convolution of an 8x8 map; channels in and out."""
    inputs, outputs = channels
    rng = np.random.default_rng(sum(channels))
    source = TensorType((8, 8, inputs), DType.BIT)
    weights = random_signs(rng, (outputs, *window.kernel, inputs))
    stage = random_stage(rng, kind, outputs, (), weights[0].size)
    op = BinaryConv2d(weights, window, pad_value, stage)
    return Case(op, source, activations(rng, source.shape, pattern), MDFA)


PROMISES = Promises(
    batches=batches_for(MDFA),
    goals={
        "32 -> 32": Goal(layer((32, 32)), 14.6, 20.5),
        "64 -> 64": Goal(layer((64, 64)), 10.4, 14.2),
        "128 -> 128": Goal(layer((128, 128)), 8.3, 11.4),
        "64 -> 64, bits": Goal(layer((64, 64), "bits"), 10.6, 14.5),
        "64 -> 64, int8": Goal(layer((64, 64), "s8"), 12.5, 20.0),
        "64 -> 10, padding 1": Goal(layer((64, 10), pad_value=1), 12.6, 17.0),
        "64 -> 10, 1x1": Goal(layer((64, 10), window=POINT), 51.5, 72.0),
        "96 -> 32, dilated": Goal(layer((96, 32), window=DILATED), 9.6, 13.6),
    },
    same_time=[layer((40, 12), pad_value=1, pattern=p) for p in UNLIKE],
)
