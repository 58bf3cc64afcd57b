"""Turns every real layer into an integer one that yields raw int32 sums, and says what a sum means.

Before: integers -> affine steps -> conv2d or dense. After: integers -> device operator with a plain
int32 stage -> rescale (one unit of the sum in real numbers, and the offset at each position).

The affine steps x = a*q + b in front of the layer disappear: `a` is multiplied into the weights
before their codebook is found, `b` becomes the offset sum(w*b) over the taps inside the map, which
differs at padded borders and is therefore exact there too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Elementwise, Rescale
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.int8_conv2d import Int8Conv2d
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.geometry import windows
from mcubnn.ops.output_stage import ScoreStage
from mcubnn.passes.codebook import Codebook, recover_codebook

Float64s = NDArray[np.float64]
Layer = Conv2d | Dense


def lower_layers(graph: Graph) -> Graph:
    """Apply the rewrite to every conv2d and dense.

    Raises:
        ModelError: in front of a convolution, factors that differ by position.
    """
    while (node := _first_layer(graph)) is not None:
        graph = _lower(graph, node)
    return graph


def _first_layer(graph: Graph) -> Node | None:
    return next((n for n in graph.nodes if isinstance(n.op, Conv2d | Dense)), None)


def _lower(graph: Graph, node: Node) -> Graph:
    assert isinstance(node.op, Conv2d | Dense)
    steps = _affine_steps(graph, node.sources[0])
    integers = steps[0].sources[0] if steps else node.sources[0]
    source = graph.tensors[integers]
    factor, constant = _compose(node, steps, source)
    real = node.op.weights.astype(np.float64)
    book = recover_codebook(
        real * factor,
        allow_multipliers=source.dtype is not DType.BIT,
    )
    pad_bit = None if np.any(constant) else _pad_bit(node.op, factor, source, book)
    offset = _bias(node.op)
    if pad_bit is None:
        stored = np.divide(book.real_weights(), factor, out=real, where=factor != 0)
        offset = offset + _offset(node.op, stored, constant, source)
    lowered = _nodes(node, integers, source, book, pad_bit or 0)
    scale = book.scale.astype(np.float64)
    rescale = Node(
        f"{node.name}.rescale", Rescale(scale, offset), (lowered[-1].result,), node.result
    )
    index = graph.nodes.index(node)
    before = [n for n in graph.nodes[:index] if n not in steps]
    result = with_nodes(graph, [*before, *lowered, rescale, *graph.nodes[index + 1 :]])
    return result if book.binary else result.with_notes(Note(node.name, _why_int8(book)))


def _why_int8(book: Codebook) -> str:
    return f"weights stored as int8, not as bits: {book.reason}"


def _affine_steps(graph: Graph, tensor: str) -> list[Node]:
    """The elementwise nodes between an integer tensor and `tensor`, in execution order."""
    steps: list[Node] = []
    while not graph.tensors[tensor].dtype.is_integer:
        producer = graph.producer(tensor)
        assert producer is not None, "quantize_activations left a real input"
        assert isinstance(producer.op, Elementwise), "quantize_activations left a real input"
        steps.insert(0, producer)
        tensor = producer.sources[0]
    return steps


def _compose(node: Node, steps: list[Node], source: TensorType) -> tuple[Float64s, Float64s]:
    """Factor per input channel (per element of a dense layer) and constant per element."""
    zeros = np.zeros(source.shape)
    constant, at_one = zeros, zeros + 1.0
    for step in steps:
        assert isinstance(step.op, Elementwise)
        constant, at_one = step.op.apply_exact(constant), step.op.apply_exact(at_one)
    factor = (at_one - constant).reshape(-1, source.channels)
    if np.ptp(factor, axis=0).max() > 1e-9 * np.abs(factor).max():
        if isinstance(node.op, Dense):
            return factor.reshape(source.shape), constant
        raise ModelError(
            f"node {node.name} ({node.op.name}): the factors in front of a convolution must differ "
            f"by channel only; found {factor.min():.4g}..{factor.max():.4g}",
            "normalise the input per channel",
        )
    per_channel = factor[0]
    if np.ptp(per_channel) <= 1e-12 * np.abs(per_channel).max():
        per_channel = per_channel[:1]
    return per_channel, constant


def _pad_bit(op: Layer, factor: Float64s, source: TensorType, book: Codebook) -> int | None:
    """The pad value in units of the integer input if the kernel can place it: 0, or a bit +-1."""
    if isinstance(op, Dense) or not op.window.has_padding or op.pad_value == 0.0:
        return 0
    if not factor.all():
        return None
    units = op.pad_value / factor
    if source.dtype is DType.BIT and book.binary and bool((np.abs(units) == 1.0).all()):
        return int(units[0]) if bool((units == units[0]).all()) else None
    return None


def _bias(op: Layer) -> Float64s:
    return np.zeros(op.weights.shape[0]) if op.bias is None else op.bias.astype(np.float64)


def _offset(op: Layer, weights: Float64s, constant: Float64s, source: TensorType) -> Float64s:
    """sum(w * constant) over the taps inside the map plus sum(w * pad value) outside."""
    whole = np.broadcast_to(constant, source.shape)[np.newaxis]
    if isinstance(op, Dense):
        return weights.reshape(weights.shape[0], -1) @ whole.reshape(-1)
    if not np.any(whole) and not (op.window.has_padding and op.pad_value):
        return np.zeros(weights.shape[0])
    taps = windows(whole, op.window, op.pad_value)
    flat = taps.reshape(*taps.shape[:3], -1)
    offset = (flat @ weights.reshape(weights.shape[0], -1).T)[0]
    rows = offset.reshape(-1, offset.shape[-1])
    uniform = np.abs(rows - rows[0]).max() <= 1e-12 * max(1.0, np.abs(rows).max())
    return rows[0] if uniform else offset


def _nodes(
    node: Node, integers: str, source: TensorType, book: Codebook, pad_bit: int
) -> list[Node]:
    """The integer layer, after an unpack where int8 weights meet bits."""
    assert isinstance(node.op, Conv2d | Dense)
    nodes: list[Node] = []
    if source.dtype is DType.BIT and not book.binary:
        unpacked = f"{integers}_unpacked"
        nodes.append(Node(f"{node.name}.unpack", UnpackBits(), (integers,), unpacked))
        integers = unpacked
    sums = f"{node.result}_sum"
    op = _integer_op(node.op, source.dtype, book, pad_bit)
    nodes.append(Node(node.name, op, (integers,), sums))
    return nodes


def _integer_op(op: Layer, dtype: DType, book: Codebook, pad_bit: int) -> DeviceOp:
    stage = raw_sums(op.weights.shape[0])
    weights = book.integers
    if isinstance(op, Dense):
        if not book.binary:
            return Int8Dense(weights, stage)
        if dtype is DType.BIT:
            return BinaryDense(weights, stage)
        return InputDense(weights, book.multipliers, stage)
    if not book.binary:
        return Int8Conv2d(weights, op.window, stage)
    if dtype is DType.BIT:
        return BinaryConv2d(weights, op.window, pad_bit, stage)
    return InputConv2d(weights, op.window, book.multipliers, stage)


def raw_sums(channels: int) -> ScoreStage:
    """The stage that passes int32 sums on unchanged."""
    ones, zeros = np.ones(channels, np.int32), np.zeros((1, channels), np.int32)
    return ScoreStage(None, ones, zeros)
