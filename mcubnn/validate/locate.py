"""Finding the first node at which a device leaves the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mcubnn.artifacts import Difference
from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import WORD_BITS, Array, DType, TensorType
from mcubnn.ops.packing import device_bytes, from_device_bytes, words_for

Trace = Callable[[int, bytes], bytes]
"""Runs nodes 0..k of the program on an image and returns node k's result (`Runner.trace`)."""


def locate(
    graph: Graph, image: int, images: Array, tensors: Mapping[str, Array], trace: Trace
) -> Difference | None:
    """Trace one image node by node until the device differs.

    All nodes are tried in order: a wrong value can vanish in a later sign or maximum, so that the
    first wrong node is not found by bisection.

    Args:
        graph: the lowered graph; its node k is node k of the device.
        image: index of the image to trace.
        images: `[N, *shape]`.
        tensors: the reference's value of every tensor for this one image, `[1, *shape]`.
        trace: the device.

    Returns:
        The first difference, or None if the device now agrees at every node.
    """
    request = device_bytes(images[image], graph.tensors[graph.input].dtype)
    for index, node in enumerate(graph.nodes):
        kind = graph.tensors[node.result]
        expected = device_bytes(tensors[node.result][0], kind.dtype)
        found = trace(index, request)
        if found != expected:
            return _first_difference(image, node, kind, expected, found)
    return None


def _first_difference(
    image: int, node: Node, kind: TensorType, expected: bytes, found: bytes
) -> Difference:
    if len(found) != len(expected):
        raise InternalError(
            f"node {node.name}: the device's result has {len(found)} bytes, the reference's "
            f"{kind} has {len(expected)}"
        )
    wanted_values, found_values = (_stored_values(data, kind) for data in (expected, found))
    index = tuple(int(i) for i in np.argwhere(wanted_values != found_values)[0])
    return Difference(
        image=image,
        node=node.name,
        operator=node.op.name,
        index=index,
        expected=int(wanted_values[index]),
        found=int(found_values[index]),
    )


def _stored_values(data: bytes, kind: TensorType) -> Array:
    """All values in the bytes; an index beyond the channels is an unused bit, -1 if correct."""
    if kind.dtype is not DType.BIT:
        return from_device_bytes(data, kind.shape, kind.dtype)
    padded = (*kind.shape[:-1], words_for(kind.channels) * WORD_BITS)
    return from_device_bytes(data, padded, kind.dtype)
