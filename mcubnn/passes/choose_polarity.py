"""Stores each activation channel so that its set bits are the minority.

Kernels that walk set bits cost in proportion to their number. Storing a channel inverted is free:
the producer's comparison is inverted, a pool in between swaps OR and AND, and the consumer's
weights of that channel are negated, since w * x = (-w) * (-x). Calibration data says which channels
are mostly set. Results are identical, bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import Array, DType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes.bit_paths import path_to_producer

Flips = NDArray[np.bool_]


def choose_polarity(graph: Graph, calibration: Array | None) -> Graph:
    """Invert the channels that calibration finds set in more than half of all places.

    Args:
        graph: device operators only.
        calibration: pixels `[N, *input shape]`, or None to change nothing.
    """
    if calibration is None:
        return graph
    tensors = evaluate_graph(graph, calibration)
    for consumer in [n for n in graph.nodes if isinstance(n.op, BinaryConv2d | BinaryDense)]:
        (source,) = consumer.sources
        path = path_to_producer(graph, source)
        if path is None or not _can_invert(consumer):
            continue
        values = tensors[source]
        mostly_set = (values > 0).reshape(-1, values.shape[-1]).mean(axis=0) > 0.5
        graph = _invert(graph, path, consumer, mostly_set)
    return replace(graph, densities=_densities(graph, calibration))


def _densities(graph: Graph, calibration: Array) -> dict[str, float]:
    """Share of set bits of every binary tensor."""
    tensors = evaluate_graph(graph, calibration)
    return {
        name: float((tensors[name] > 0).mean())
        for name, kind in graph.tensors.items()
        if kind.dtype is DType.BIT
    }


def _can_invert(consumer: Node) -> bool:
    """Padding with constant bits means the same for all channels; zeros do not count anyway."""
    op = consumer.op
    return not (isinstance(op, BinaryConv2d) and op.pad_value and op.window.has_padding)


def _invert(graph: Graph, path: list[Node], consumer: Node, channels: Flips) -> Graph:
    changed = {node.name: _inverted(node, channels) for node in path}
    assert isinstance(consumer.op, SummingOp)
    weights = np.where(channels, -consumer.op.weights, consumer.op.weights).astype(np.int8)
    negated = replace(consumer.op, weights=weights)  # type: ignore[call-arg]  # subclass's field
    changed[consumer.name] = replace(consumer, op=negated)
    return with_nodes(graph, [changed.get(node.name, node) for node in graph.nodes])


def _inverted(node: Node, channels: Flips) -> Node:
    """A node whose result has these channels inverted."""
    op = node.op
    if isinstance(op, BitMaxPool):
        return replace(node, op=replace(op, minimum=op.minimum ^ channels))
    assert isinstance(op, SummingOp | Threshold)
    assert isinstance(op.stage, ThresholdStage)
    stage = replace(op.stage, flip=op.stage.flip ^ channels)
    if isinstance(op, Threshold):
        return replace(node, op=replace(op, stage=stage))
    return replace(node, op=op.with_stage(stage))
