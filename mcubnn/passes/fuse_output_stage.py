"""Folds everything between a layer's integer sum and the next integer tensor into its stage.

Before: device operator with raw int32 sums -> elementwise* -> sign | quantize | the graph's output.
After: the device operator with thresholds | requantization | scores. A chain that starts at an
integer tensor instead of a layer becomes a `threshold` of its own; one that starts at bits is
merged into the thresholds that made them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import run_from, with_nodes
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.types import DType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.defs.quantize import Quantize
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ThresholdStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes.affine import compose
from mcubnn.passes.bounds import sum_bounds, value_range
from mcubnn.passes.integer_stages import requantize_stage, score_stage
from mcubnn.passes.merge_signs import merge_sign
from mcubnn.passes.mixed_directions import negate_readers, pool_of_both_kinds
from mcubnn.passes.positions import Positions, split_positions
from mcubnn.passes.thresholds import (
    MixedDirectionError,
    NotANumberError,
    SignChain,
    count_exact_zeros,
    find_thresholds,
)


def fuse_output_stage(graph: Graph) -> Graph:
    """Apply the rewrite to every chain of elementwise steps and every sign.

    Raises:
        ModelError: a chain that ends in nothing a kernel can produce.
    """
    while (start := _first_float(graph)) is not None:
        try:
            graph = _fuse(graph, start)
        except NotANumberError as error:
            raise _beyond_float(start) from error
    return graph


def _first_float(graph: Graph) -> Node | None:
    """The first node that has no kernel; its input is an integer tensor."""
    return next((n for n in graph.nodes if isinstance(n.op, Elementwise | Sign | Quantize)), None)


def _fuse(graph: Graph, start: Node) -> Graph:
    chain: list[Node] = []
    for node in run_from(graph, start.sources[0]):
        chain.append(node)
        if not isinstance(node.op, Elementwise):
            break
    end = chain[-1]
    steps = [n for n in chain if isinstance(n.op, Elementwise)]
    source = graph.tensors[start.sources[0]]
    positions = split_positions(steps, source.shape) if steps else Positions((), 1, None)
    layer = graph.producer(start.sources[0])
    sums = layer if layer is not None and isinstance(layer.op, SummingOp) else None
    if source.dtype is DType.BIT:
        return _merge(graph, chain, positions)
    low, high = _reach(graph, sums, start)

    if isinstance(end.op, Sign):
        bits = SignChain(positions.steps, end.op.at_zero < 0, low, high, positions.classes)
        return _to_bits(graph, sums, chain, positions, bits)
    affine = compose(positions.steps, positions.classes, source.channels)
    if not affine.is_finite:
        raise _beyond_float(start)
    if sums is None:
        raise ModelError(
            f"node {start.name} ({start.op.name}): real-valued steps must follow a layer",
            "binarize the input, or begin with a convolution or a fully connected layer",
        )
    if isinstance(end.op, Quantize):
        stage = requantize_stage(affine, end.op.scale, low, high, positions.of_pixel)
        return _replace(graph, sums, chain, stage)
    if end.result != graph.output or affine.is_clamped:
        raise ModelError(
            f"node {end.name} ({end.op.name}): the last layer must be followed by constant "
            "factors and offsets only",
            "end the network with the scores of a layer; Softmax is dropped, Clip and Relu are not",
        )
    scores, unit = score_stage(affine, low, high, positions.of_pixel)
    return replace(_replace(graph, sums, chain, scores), output_scale=unit)


def _to_bits(
    graph: Graph, sums: Node | None, chain: list[Node], positions: Positions, bits: SignChain
) -> Graph:
    """A layer's sums become bits; where a channel both rises and falls its reader changes too."""
    end = chain[-1]
    if pool_of_both_kinds(graph, end) is not None:
        bits = bits.rising()
    found, stage, notes = _threshold_stage(end, bits, positions.of_pixel, _parity(graph, sums))
    if found.inverted is not None:
        graph, end = negate_readers(graph, end, positions, found.inverted)
    return _replace(graph, sums, [*chain[:-1], end], stage).with_notes(*notes)


def _beyond_float(start: Node) -> ModelError:
    return ModelError(
        f"node {start.name} ({start.op.name}): the constants from here to the next binarizer or to "
        "the output lead beyond float32",
        "look for factors that are far too large, or variances that are 0",
    )


def _merge(graph: Graph, chain: list[Node], positions: Positions) -> Graph:
    """A sign that reads bits goes into the thresholds that made them."""
    end = chain[-1]
    if not isinstance(end.op, Sign):
        raise ModelError(
            f"node {end.name} ({end.op.name}): bits must be followed by a layer or a binarizer",
            "end the network with the scores of a layer",
        )
    limit = np.ones(graph.tensors[chain[0].sources[0]].channels, np.int64)
    bits = SignChain(positions.steps, end.op.at_zero < 0, -limit, limit, positions.classes)
    below, above = bits.bits(bits.low[None, None])[0], bits.bits(bits.high[None, None])[0]
    return merge_sign(graph, chain, below, above)


def _reach(
    graph: Graph, sums: Node | None, start: Node
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Smallest and largest integer per channel at the start of a chain."""
    source = graph.tensors[start.sources[0]]
    if sums is None:
        low, high = value_range(source.dtype)
        return np.full(source.channels, low), np.full(source.channels, high)
    assert isinstance(sums.op, SummingOp)
    first, last = (np.float64(v) for v in _values(graph, sums.sources[0]))
    bounds = sum_bounds(sums.op.factors.astype(np.float64), first, last, absent=True)
    return bounds[0].astype(np.int64), bounds[1].astype(np.int64)


def _values(graph: Graph, tensor: str) -> tuple[int, int]:
    """Smallest and largest value of an integer tensor, as far as its producer tells."""
    producer = graph.producer(tensor)
    match None if producer is None else producer.op:
        case UnpackBits():
            return value_range(DType.BIT)
        case Int8MaxPool():
            assert producer is not None
            return _values(graph, producer.sources[0])
        case SummingOp(stage=RequantizeStage(low=low, high=high)):
            return int(low.min()), int(high.max())
        case _:
            return value_range(graph.tensors[tensor].dtype)


def _parity(graph: Graph, sums: Node | None) -> int | None:
    """Parity of every reachable sum: that of the number of taps, if it is the same everywhere."""
    if sums is None or not isinstance(sums.op, SummingOp) or not sums.op.has_sign_weights:
        return None
    source = graph.tensors[sums.sources[0]]
    if source.dtype is not DType.BIT:
        return None
    taps = int(np.prod(sums.op.weights.shape[1:]))
    if isinstance(sums.op, BinaryConv2d) and sums.op.window.has_padding and sums.op.pad_value == 0:
        return 0 if source.channels % 2 == 0 else None
    return taps % 2


def _threshold_stage(
    sign: Node, chain: SignChain, of_pixel: NDArray[np.uint8] | None, parity: int | None
) -> tuple[SignChain, ThresholdStage, list[Note]]:
    assert isinstance(sign.op, Sign)
    try:
        thresholds, flip = find_thresholds(chain)
    except MixedDirectionError:
        chain = chain.rising()
        thresholds, flip = find_thresholds(chain)
    stage = ThresholdStage(of_pixel, thresholds, flip)
    if sign.op.at_zero != 0:
        return chain, stage, []
    falling = flip if chain.inverted is None else flip ^ chain.inverted
    zeros = count_exact_zeros(chain, thresholds, falling, parity)
    if not zeros:
        return chain, stage, []
    text = (
        f"sign(0) is possible in {zeros} of {thresholds.size} channels; the framework's Sign gives "
        "0 there, which a bit cannot hold: +1 is used. Train with `x >= 0 ? 1 : -1` to agree."
    )
    return chain, stage, [Note(sign.name, text)]


def _replace(graph: Graph, sums: Node | None, chain: list[Node], stage: OutputStage) -> Graph:
    """A layer with its stage for layer and chain, or a threshold for the chain alone."""
    end = chain[-1]
    if sums is None:
        assert isinstance(stage, ThresholdStage)
        fused = Node(end.name, Threshold(stage), chain[0].sources, end.result)
        dropped = chain
    else:
        assert isinstance(sums.op, SummingOp)
        fused = replace(sums, op=sums.op.with_stage(stage), result=end.result)
        dropped = [sums, *chain]
    index = graph.nodes.index(dropped[0])
    nodes = [n for n in graph.nodes if n not in dropped]
    return with_nodes(graph, [*nodes[:index], fused, *nodes[index:]])
