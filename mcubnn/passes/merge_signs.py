"""Merges a binarizer that reads bits into the thresholds that made them.

Binarizing twice is common: an activation, then a layer that binarizes its own input. Whatever the
second chain makes of -1 and +1 is, per channel, the same bit, the inverted bit or a constant; the
first one and the pools in between take it over.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes.bit_paths import path_to_producer
from mcubnn.passes.thresholds import ALWAYS, NEVER

Bools = NDArray[np.bool_]


def merge_sign(graph: Graph, chain: list[Node], below: Bools, above: Bools) -> Graph:
    """The graph without the chain.

    Args:
        graph: bits, computed by a stage of thresholds, are the chain's input.
        chain: elementwise steps and a sign.
        below: `[classes, C]`, the sign's answers for the bit -1.
        above: likewise for +1.

    Raises:
        ModelError: the answers differ by position.
    """
    path = path_to_producer(graph, chain[0].sources[0])
    if path is None or len(below) > 1:
        raise ModelError(
            f"node {chain[-1].name} (Sign): it reads values that are binary already, through "
            "constants that differ by position",
            "binarize once, or use per-channel constants",
        )
    inverted, constant = below[0] & ~above[0], below[0] == above[0]
    changed = {}
    for node, reader in zip(path, [None, *path], strict=False):
        result = chain[-1].result if reader is None else f"{node.result}_merged"
        changed[node.name] = replace(_changed(node, inverted, constant, above[0]), result=result)
    for node, producer in pairwise(path):  # other values under the old names would mislead
        sources = (changed[producer.name].result,)
        changed[node.name] = replace(changed[node.name], sources=sources)
    nodes = [changed.get(node.name, node) for node in graph.nodes if node not in chain]
    return with_nodes(graph, nodes)


def _changed(node: Node, inverted: Bools, constant: Bools, value: Bools) -> Node:
    """A node whose result has some channels inverted and others constant."""
    op = node.op
    if isinstance(op, BitMaxPool):
        return replace(node, op=replace(op, minimum=op.minimum ^ inverted))
    assert isinstance(op, SummingOp | Threshold)
    assert isinstance(op.stage, ThresholdStage)
    flip = op.stage.flip ^ inverted
    fixed = np.where(value ^ flip, ALWAYS, NEVER)
    thresholds = np.where(constant, fixed, op.stage.thresholds).astype(np.int32)
    stage = replace(op.stage, thresholds=thresholds, flip=flip)
    if isinstance(op, Threshold):
        return replace(node, op=replace(op, stage=stage))
    return replace(node, op=op.with_stage(stage))
