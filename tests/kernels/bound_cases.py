"""Layers of many shapes on the inputs that take longest, to hold instruction bounds against.

What f2c takes grows with the shorter one of two lists, so it takes longest if half of every window
is set; where padding is on one of the lists, the map has to make up for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from math import prod

import numpy as np
from numpy.random import Generator

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
from mcubnn.ops.output_stage import OutputStage, ThresholdStage
from mcubnn.ops.pooled import PooledConv2d
from tests.kernels.binary_cases import activations
from tests.kernels.cases import POOLS, STAGES, random_signs, random_stage, random_tensor

_MAPS = (  # height, width, input and output channels, kernel, stride, padding
    (8, 8, 3, 5, 1, 1, 0),
    (7, 9, 33, 31, 3, 1, 1),
    (12, 12, 16, 64, 3, 1, 0),
    (9, 9, 17, 40, 5, 2, 2),
    (4, 4, 128, 96, 3, 1, 1),
    (11, 6, 8, 7, 2, 3, 0),
    (3, 3, 64, 10, 3, 1, 0),
    (5, 4, 1, 1, 4, 1, 0),
    (26, 1, 32, 33, 1, 1, 0),
    (12, 2, 64, 9, 1, 1, 0),
    (3, 18, 8, 1, 3, 1, 1),
)
_VECTORS = ((8, 1), (33, 10), (100, 128), (784, 33), (1024, 64), (5, 64))  # inputs, outputs
_PIXELS = (DType.UINT8, DType.INT8)
_POOLS = tuple(pool for window in POOLS for pool in (window, None))
_SUMS = 2000
_MOST_PIXELS = 150
"""Under a window of the first layer, which is made for few channels."""

Layer = tuple[DeviceOp, TensorType]


def layers(operator: str) -> Iterator[Layer]:
    """Layers of one operator; the output stages take turns."""
    rng = np.random.default_rng(len(operator))
    kinds, pixels, pools = cycle(STAGES), cycle(_PIXELS), cycle(_POOLS)
    if operator.endswith("_dense"):
        for inputs, outputs in _VECTORS:
            yield from (
                _dense(rng, operator, inputs, outputs, kind, next(pixels)) for kind in STAGES
            )
            if operator == "input_dense":
                yield from (_scaled(rng, (1, -(-inputs // c), c), outputs) for c in (1, 3, inputs))
        return
    for shape in _MAPS:
        for pad_value in (-1, 0, 1) if operator == "binary_conv2d" else (0,):
            yield _on_map(rng, operator, shape, next(kinds), next(pixels), pad_value)
            if operator.endswith("conv2d"):
                layer = _on_map(rng, operator, shape, "bits", next(pixels), pad_value)
                yield _pooled(rng, *layer, next(pools))


def dearest_inputs(op: DeviceOp, source: TensorType) -> Iterator[Array]:
    """Inputs of which at least one is close to the dearest."""
    rng = np.random.default_rng(5)
    if source.dtype is not DType.BIT:
        yield random_tensor(rng, source)
        yield np.full(source.shape, np.iinfo(np.dtype(source.dtype.numpy)).min)
        return
    pad_value = op.pad_value if isinstance(op, BinaryConv2d) else 0
    yield activations(rng, source.shape, "zero" if pad_value > 0 else "one")
    yield activations(rng, source.shape, "checkerboard")
    quads = -(-source.channels // 4) * 4  # entered into lists; the surplus is unset
    for share in (0.5, 0.5 - 0.1 * pad_value, 0.5 - 0.2 * pad_value):
        count = min(source.channels, round(share * quads))
        order = rng.random(source.shape).argsort(axis=-1)
        yield np.where(order < count, 1, -1).astype(np.int8)


def _dense(
    rng: Generator, operator: str, inputs: int, outputs: int, kind: str, pixel: DType
) -> Layer:
    stage, shape = random_stage(rng, kind, outputs, (), _SUMS), (outputs, inputs)
    if operator == "binary_dense":
        return BinaryDense(random_signs(rng, shape), stage), TensorType((inputs,), DType.BIT)
    source = TensorType((inputs,), pixel)
    if operator == "input_dense":
        return InputDense(random_signs(rng, shape), None, stage), source
    return Int8Dense(random_tensor(rng, TensorType(shape, DType.INT8)), stage), source


def _scaled(rng: Generator, shape: tuple[int, int, int], outputs: int) -> Layer:
    """A dense input layer with a multiplier for each channel."""
    signs = random_signs(rng, (outputs, *shape))
    stage = random_stage(rng, "bits", outputs, (), _SUMS)
    multipliers = rng.integers(1, 99, shape[2]).astype(np.int32)
    return InputDense(signs, multipliers, stage), TensorType(shape, DType.UINT8)


def _on_map(
    rng: Generator, operator: str, shape: tuple[int, ...], kind: str, pixel: DType, pad_value: int
) -> Layer:
    height, width, inputs, outputs, kernel, stride, padding = shape
    window = Window((kernel, kernel), (stride, stride), (padding,) * 4)
    bits = TensorType((height, width, inputs), DType.BIT)
    pixels = TensorType(bits.shape, pixel)
    if operator.endswith("conv2d"):
        stage = random_stage(rng, kind, outputs, window.output_size(height, width), _SUMS)
        return _convolution(rng, operator, pixels, window, pad_value, stage)
    if operator == "threshold":
        stage = random_stage(rng, "bits", inputs, (height, width), _SUMS // 10)
        assert isinstance(stage, ThresholdStage)
        return Threshold(stage), pixels
    if operator == "unpack_bits":
        return UnpackBits(), bits
    minimum = rng.random(inputs) < 0.5
    if operator == "bit_max_pool":
        return BitMaxPool(window, minimum), bits
    assert operator == "int8_max_pool"
    return Int8MaxPool(window, minimum), pixels


def _pooled(rng: Generator, op: DeviceOp, source: TensorType, window: Window | None) -> Layer:
    """The layer with a pool, if it can have one that its map has room for."""
    if window is None or not isinstance(op, PooledConv2d):
        return op, source
    size = op.map_size(*source.shape[:2])
    if size[0] < window.kernel[0] or size[1] < window.kernel[1]:
        return op, source
    return op.with_pool(BitMaxPool(window, rng.random(op.stage.channels) < 0.5)), source


def _convolution(
    rng: Generator,
    operator: str,
    source: TensorType,
    window: Window,
    pad_value: int,
    stage: OutputStage,
) -> Layer:
    inputs = source.channels
    if operator == "input_conv2d" and inputs * prod(window.kernel) > _MOST_PIXELS:
        inputs = 3
    source = TensorType((*source.shape[:2], inputs), source.dtype)
    shape = (stage.channels, *window.kernel, inputs)
    if operator == "int8_conv2d":
        weights = random_tensor(rng, TensorType(shape, DType.INT8))
        return Int8Conv2d(weights, window, stage), source
    if operator == "input_conv2d":
        return InputConv2d(random_signs(rng, shape), window, None, stage), source
    if isinstance(stage, ThresholdStage):  # one class, or the fast kernels refuse it
        stage = ThresholdStage(None, stage.thresholds[:1] // 50, stage.flip)
    bits = TensorType(source.shape, DType.BIT)
    return BinaryConv2d(random_signs(rng, shape), window, pad_value, stage), bits
