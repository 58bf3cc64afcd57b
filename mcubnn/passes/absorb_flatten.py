"""Removes flatten: maps stay maps, and what follows learns to read them.

Before: map -> flatten -> (elementwise, sign)* -> dense. After: the same without flatten; constants
and dense weights are reshaped from the flattened order to (height, width, channels).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import Array
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.defs.shape import Flatten
from mcubnn.ops.defs.sign import Sign


def absorb_flatten(graph: Graph) -> Graph:
    """Apply the rewrite everywhere.

    Raises:
        ModelError: a flattened map reaches the output or an operator that needs the vector.
    """
    while (index := _first_flatten(graph)) is not None:
        graph = _absorb(graph, index)
    return graph


def _first_flatten(graph: Graph) -> int | None:
    flattens = (i for i, node in enumerate(graph.nodes) if isinstance(node.op, Flatten))
    return next(flattens, None)


def _absorb(graph: Graph, index: int) -> Graph:
    flatten = graph.nodes[index]
    assert isinstance(flatten.op, Flatten)
    shape = graph.tensors[flatten.sources[0]].shape
    unflatten = _unflattener(shape, flatten.op.channels_first)
    nodes = list(graph.nodes[:index])
    source, reached_dense = flatten.sources, False
    for node in graph.nodes[index + 1 :]:
        if reached_dense:
            nodes.append(node)
            continue
        reached_dense = isinstance(node.op, Dense)
        nodes.append(replace(_reshape_constants(node, unflatten), sources=source))
        source = (node.result,)
    if not reached_dense and max(shape[:-1], default=1) > 1:
        raise ModelError(
            f"node {flatten.name} (Flatten): flattens a map of {shape} into the output",
            "end the network with a fully connected layer",
        )
    return with_nodes(graph, nodes)


def _unflattener(shape: tuple[int, ...], channels_first: bool) -> Callable[[Array], Array]:
    """Maps the last axis of an array from the flattened order to `shape`."""

    def unflatten(array: Array) -> Array:
        lead = array.shape[:-1]
        if len(shape) == 1:
            return array
        if not channels_first:
            return array.reshape(*lead, *shape)
        height, width, channels = shape
        return np.moveaxis(array.reshape(*lead, channels, height, width), len(lead), -1)

    return unflatten


def _reshape_constants(node: Node, unflatten: Callable[[Array], Array]) -> Node:
    match node.op:
        case Dense(weights=weights):
            return replace(node, op=replace(node.op, weights=unflatten(weights)))
        case Elementwise():
            return replace(node, op=node.op.map_constants(lambda c: _per_element(c, unflatten)))
        case Sign():
            return node
        case _:
            raise ModelError(
                f"node {node.name} ({node.op.name}): cannot follow a Flatten",
                "flatten directly before the first fully connected layer",
            )


def _per_element(constant: Array, unflatten: Callable[[Array], Array]) -> Array:
    if constant.size == 1:
        return constant
    spread = unflatten(constant)
    channel_row = spread.reshape(-1, spread.shape[-1])
    return channel_row[0] if bool((channel_row == channel_row[0]).all()) else spread
