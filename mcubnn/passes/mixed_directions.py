"""Channels that rise with their sum at one position and fall at another.

A stage inverts whole channels only. Where a fully connected layer reads the bits, which happens
where every element behind a Flatten has its own factor, single elements are inverted too: the layer
negates their weights, since w * x = (-w) * (-x).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import run_from, with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.int8_dense import Int8Dense
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.passes.positions import Positions

Bools = NDArray[np.bool_]


def negate_readers(
    graph: Graph, sign: Node, positions: Positions, inverted: Bools
) -> tuple[Graph, Node]:
    """The graph in which the layer behind a sign undoes the inversion of single bits, and the sign.

    Its result gets another name, since it holds other bits.

    Args:
        graph: the sign's result is read by a layer, perhaps through an unpack.
        sign: the node.
        positions: of its chain.
        inverted: `[classes, C]`, the bits that are stored inverted.

    Raises:
        ModelError: no fully connected layer reads the bits.
    """
    readers = [n for n in run_from(graph, sign.result) if not isinstance(n.op, UnpackBits)]
    if not readers or not isinstance(readers[0].op, BinaryDense | Int8Dense):
        raise ModelError(
            f"node {sign.name} (Sign): the factors in front of it are positive at some positions "
            "of a channel and negative at others",
            "normalise per channel: place the batch normalisation before the Flatten",
        )
    layer, op = readers[0], readers[0].op
    spread = inverted[0] if positions.of_pixel is None else inverted[positions.of_pixel]
    negated = replace(op, weights=np.where(spread, -op.weights, op.weights).astype(np.int8))
    renamed = replace(sign, result=f"{sign.result}_inverted")
    nodes = [replace(n, op=negated) if n is layer else n for n in graph.nodes]
    nodes = [
        replace(n, sources=(renamed.result,)) if n.sources == (sign.result,) else n for n in nodes
    ]
    return with_nodes(graph, [renamed if n is sign else n for n in nodes]), renamed
