"""Removes activation channels that are the same for every input.

A batch-norm gamma of 0, or a threshold beyond every reachable sum, makes a channel constant. Its
producer need not compute it, and what it adds to the consumer's sums moves into the consumer's
output stage. Where that differs by position (at padded borders fewer taps lie inside the map) the
channel stays: a table of thresholds per border class would cost more than it saves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.exact import conv_sums, dense_sums
from mcubnn.ops.output_stage import OutputStage, ThresholdStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes.bit_paths import path_to_producer
from mcubnn.passes.shift_stage import shift_stage
from mcubnn.passes.thresholds import ALWAYS, NEVER


def fold_constant_channels(graph: Graph) -> Graph:
    """Apply the rewrite between every thresholding layer and the binary layer that reads it."""
    for name in [n.name for n in graph.nodes if isinstance(n.op, BinaryConv2d | BinaryDense)]:
        consumer = next(node for node in graph.nodes if node.name == name)
        path = path_to_producer(graph, consumer.sources[0])
        if path is None or not isinstance(path[-1].op, SummingOp):
            continue
        stage = path[-1].op.stage
        assert isinstance(stage, ThresholdStage)
        constant = _constant_channels(stage)
        if constant.any() and not constant.all():
            graph = _fold(graph, path, consumer, constant)
    return graph


def _constant_channels(stage: ThresholdStage) -> NDArray[np.bool_]:
    """`[C]`, set where one value results whatever the sum and the position."""
    always = (stage.thresholds == ALWAYS).all(axis=0)
    never = (stage.thresholds == NEVER).all(axis=0)
    return always | never


def _fold(graph: Graph, path: list[Node], consumer: Node, constant: NDArray[np.bool_]) -> Graph:
    producer = path[-1].op
    assert isinstance(producer, SummingOp)
    assert isinstance(producer.stage, ThresholdStage)
    assert isinstance(consumer.op, BinaryConv2d | BinaryDense)
    value = np.where((producer.stage.thresholds[0] == ALWAYS) ^ producer.stage.flip, 1, -1)
    shape = (*graph.tensors[consumer.sources[0]].shape[:-1], int(constant.sum()))
    added = _added(consumer.op, np.broadcast_to(value[constant], shape), constant)
    if bool((added != added[:1]).any()):
        return graph
    changed = {node.name: replace(node, op=_without(node.op, constant)) for node in path}
    lighter = replace(consumer.op, weights=consumer.op.weights[..., ~constant])
    shifted = lighter.with_stage(shift_stage(lighter.stage, added[0]))
    changed[consumer.name] = replace(consumer, op=shifted)
    text = f"{int(constant.sum())} constant channels folded into the next layer"
    nodes = [changed.get(node.name, node) for node in graph.nodes]
    return with_nodes(graph, nodes).with_notes(Note(path[-1].name, text))


def _added(
    op: BinaryConv2d | BinaryDense, values: NDArray[np.int64], constant: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """What the constant channels add to the sums, `[positions, C_out]`."""
    weights = op.weights[..., constant]
    largest = int(weights[0].size)
    whole = values[np.newaxis].astype(np.int8)
    if isinstance(op, BinaryDense):
        return dense_sums(whole, weights, largest).astype(np.int64)
    sums = conv_sums(whole, weights, op.window, op.pad_value, largest)
    return sums.reshape(-1, len(weights)).astype(np.int64)


def _without(op: object, constant: NDArray[np.bool_]) -> SummingOp | BitMaxPool:
    """A producer or pool without the constant channels."""
    if isinstance(op, BitMaxPool):
        return replace(op, minimum=op.minimum[~constant])
    assert isinstance(op, SummingOp)
    lighter: SummingOp = replace(op, weights=op.weights[~constant])  # type: ignore[call-arg]  # subclass's field
    return lighter.with_stage(_stage_without(op.stage, constant))


def _stage_without(stage: OutputStage, constant: NDArray[np.bool_]) -> ThresholdStage:
    assert isinstance(stage, ThresholdStage)
    thresholds, flip = stage.thresholds[:, ~constant], stage.flip[~constant]
    return replace(stage, thresholds=thresholds, flip=flip)
