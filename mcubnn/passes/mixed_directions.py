"""Channels that rise with their sum at one position and fall at another.

A stage inverts whole channels only. Where a fully connected layer reads the bits, which happens
where every element behind a Flatten has its own factor, single elements are inverted too: the layer
negates their weights, since w * x = (-w) * (-x). A pool between the two that was a minimum at some
positions is then a maximum at all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import run_from, with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.passes.positions import Positions

Bools = NDArray[np.bool_]


def pool_of_both_kinds(graph: Graph, sign: Node) -> Node | None:
    """The pool that reads a sign's bits, if it takes maxima and minima of one channel."""
    reader = next(iter(run_from(graph, sign.result)), None)
    if reader is None or not isinstance(reader.op, BitMaxPool) or reader.op.minimum.ndim == 1:
        return None
    return reader


def negate_readers(
    graph: Graph, sign: Node, positions: Positions, inverted: Bools
) -> tuple[Graph, Node]:
    """The graph in which the layer behind a sign undoes the inversion of single bits, and the sign.

    Its result gets another name, since it holds other bits.

    Args:
        graph: the sign's result is read by a layer, perhaps through an unpack, perhaps behind a
            pool of both kinds.
        sign: the node.
        positions: of its chain.
        inverted: `[classes, C]`, the bits that are stored inverted: all that fall.

    Raises:
        ModelError: no fully connected layer reads the bits.
    """
    pool = pool_of_both_kinds(graph, sign)
    behind = sign if pool is None else pool
    readers = [n for n in run_from(graph, behind.result) if not isinstance(n.op, UnpackBits)]
    if not readers or not isinstance(readers[0].op, BinaryDense | Int8Dense):
        raise ModelError(
            f"node {sign.name} (Sign): the factors in front of it are positive at some positions "
            "of a channel and negative at others",
            "normalise per channel: place the batch normalisation before the Flatten",
        )
    layer, op = readers[0], readers[0].op
    spread = inverted[0] if positions.of_pixel is None else inverted[positions.of_pixel]
    changed = {sign.name: replace(sign, result=f"{sign.result}_inverted")}
    if pool is not None:
        assert isinstance(pool.op, BitMaxPool)
        down, right = pool.op.window.strides
        height, width = graph.tensors[pool.result].shape[:2]
        spread = spread[::down, ::right][:height, :width]  # one inversion for all of a window
        maximum = BitMaxPool(pool.op.window, np.zeros(spread.shape[-1], np.bool_))
        changed[pool.name] = replace(pool, op=maximum, result=f"{pool.result}_inverted")
    negated = np.where(spread, -op.weights, op.weights).astype(np.int8)
    changed[layer.name] = replace(layer, op=replace(op, weights=negated))
    renamed = {n.result: changed[n.name].result for n in graph.nodes if n.name in changed}
    nodes = [changed.get(n.name, n) for n in graph.nodes]
    nodes = [replace(n, sources=tuple(renamed.get(t, t) for t in n.sources)) for n in nodes]
    return with_nodes(graph, nodes), next(n for n in nodes if n.name == sign.name)
