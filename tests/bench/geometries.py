"""Single layers of fixed geometry between random activations, as graphs of device operators.

A firmware receives 8-bit pixels, so a first layer that is not part of the result turns a small
random map into bits. Its weights are random signs over 32 random pixels: for one input every
channel is an independent fair coin, so half of the bits are set. All variants of a layer read the
same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mcubnn.ir.builder import infer_tensors
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ScoreStage, ThresholdStage
from mcubnn.ops.variants.base import Core
from mcubnn.ops.variants.table import VARIANTS
from tests.bench.rows import PORTABLE

INPUT = "input"
_SIDE = 16
_SOURCE_CHANNELS = 32
_IMAGES = 12


@dataclass(frozen=True)
class Layer:
    """One layer to measure.

    Attributes:
        source: the bits it reads, or the graph's input.
    """

    case: str
    op: DeviceOp
    source: str


@dataclass(frozen=True)
class Bench:
    """A graph in which some nodes are measured.

    Attributes:
        cases: case by name of a measured node.
        overrides: kernel variant by name of a measured node.
        images: `[N, *input shape]`.
    """

    graph: Graph
    cases: dict[str, str]
    overrides: dict[str, str]
    images: Array


def benches(core: Core) -> tuple[Bench, ...]:
    """All geometries with every variant that the core can execute."""
    return (_binary_layers(core), _first_layer(core, 3), _first_layer(core, 1))


def variants_for(op: DeviceOp, source: TensorType, core: Core) -> tuple[str, ...]:
    """Names of all kernels for a layer, the portable one first."""
    return (
        PORTABLE,
        *(
            variant.name
            for variant in VARIANTS
            if variant.operator == op.name
            and variant.isa in core.isas
            and not variant.why_not(op, [source])
        ),
    )


def _binary_layers(core: Core) -> Bench:
    rng = np.random.default_rng(1)
    convolutions = (32, 64, 128)
    dense = ((1024, 256), (512, 128), (512, 64), (128, 128))
    producers = [
        *(_producer(rng, f"map{channels}", channels, 1) for channels in convolutions),
        *(_producer(rng, f"vector{k}", k, _SIDE) for k in sorted({k for k, _ in dense})),
    ]
    layers = [
        *(Layer(f"conv 3x3 {c}->{c}", _convolution(rng, c), f"map{c}") for c in convolutions),
        *(Layer(f"dense {k}->{n}", _dense(rng, k, n), f"vector{k}") for k, n in dense),
    ]
    pixels = TensorType((_SIDE, _SIDE, _SOURCE_CHANNELS), DType.INT8)
    return _bench("bench_binary", pixels, producers, layers, core)


def _first_layer(core: Core, channels: int) -> Bench:
    rng = np.random.default_rng(2)
    outputs = 64
    op = InputConv2d(
        weights=_signs(rng, (outputs, 3, 3, channels)),
        window=Window((3, 3), pads=(1, 1, 1, 1)),
        channel_multipliers=None,
        stage=_thresholds(rng, outputs, 128.0 * np.sqrt(9 * channels)),
    )
    pixels = TensorType((32, 32, channels), DType.UINT8)
    layer = Layer(f"first 3x3 {channels}->{outputs}", op, INPUT)
    return _bench(f"bench_first{channels}", pixels, [], [layer], core)


def _bench(
    name: str, pixels: TensorType, producers: list[Node], layers: Sequence[Layer], core: Core
) -> Bench:
    tensors = infer_tensors(INPUT, pixels, producers)
    measured: list[tuple[Node, str, str]] = []
    for index, layer in enumerate(layers):
        for variant in variants_for(layer.op, tensors[layer.source], core):
            node = f"layer{index}_{variant}"
            made = Node(node, layer.op, (layer.source,), f"{node}_result")
            measured.append((made, layer.case, variant))
    # Fast kernels first: tracing one of them runs all nodes before it.
    measured.sort(key=lambda row: row[2] == PORTABLE)
    nodes = [*producers, *(made for made, _, _ in measured)]
    nodes.append(_scores(nodes[-1].result, infer_tensors(INPUT, pixels, nodes)[nodes[-1].result]))
    return Bench(
        graph=_graph(name, pixels, nodes),
        cases={made.name: case for made, case, _ in measured},
        overrides={made.name: variant for made, _, variant in measured},
        images=_pixels(pixels),
    )


def _graph(name: str, pixels: TensorType, nodes: Iterable[Node]) -> Graph:
    listed = tuple(nodes)
    tensors = infer_tensors(INPUT, pixels, listed)
    return Graph(name, INPUT, listed[-1].result, listed, tensors)


def _scores(source: str, tensor: TensorType) -> Node:
    """A network ends with scores; this one is not measured."""
    stage = ScoreStage(None, multiplier=np.ones(1, np.int32), bias=np.zeros((1, 1), np.int32))
    op = BinaryDense(np.ones((1, *tensor.shape), np.int8), stage)
    return Node("scores", op, (source,), "scores")


def _producer(rng: Generator, result: str, channels: int, stride: int) -> Node:
    """Random bits from the random input: a map of every pixel, or one pixel as a vector."""
    op = InputConv2d(
        weights=_signs(rng, (channels, 1, 1, _SOURCE_CHANNELS)),
        window=Window((1, 1), strides=(stride, stride)),
        channel_multipliers=None,
        stage=_bits(np.zeros(channels, np.int64), rng),
    )
    return Node(f"make_{result}", op, (INPUT,), result)


def _convolution(rng: Generator, channels: int) -> BinaryConv2d:
    return BinaryConv2d(
        weights=_signs(rng, (channels, 3, 3, channels)),
        window=Window((3, 3), pads=(1, 1, 1, 1)),
        pad_value=-1,
        stage=_thresholds(rng, channels, np.sqrt(9 * channels), extreme=9 * channels),
    )


def _dense(rng: Generator, inputs: int, outputs: int) -> BinaryDense:
    return BinaryDense(
        weights=_signs(rng, (outputs, 1, 1, inputs)),
        stage=_thresholds(rng, outputs, np.sqrt(inputs), extreme=inputs),
    )


def _thresholds(
    rng: Generator, channels: int, deviation: float, extreme: int | None = None
) -> ThresholdStage:
    """Thresholds as wide as the sums; the first three: always, all but never, and never reached."""
    values = np.rint(rng.normal(0, deviation, channels)).astype(np.int64)
    if extreme is not None:
        values[:3] = (-extreme, extreme, extreme + 1)
    return _bits(values, rng)


def _bits(values: Array, rng: Generator) -> ThresholdStage:
    flip = rng.random(len(values)) < 0.5
    return ThresholdStage(None, thresholds=values.astype(np.int32)[None], flip=flip)


def _signs(rng: Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice(np.array([-1, 1], np.int8), shape)


def _pixels(tensor: TensorType) -> Array:
    limits = np.iinfo(np.dtype(tensor.dtype.numpy))
    shape = (_IMAGES, *tensor.shape)
    return np.random.default_rng(3).integers(
        limits.min, limits.max, shape, limits.dtype, endpoint=True
    )
