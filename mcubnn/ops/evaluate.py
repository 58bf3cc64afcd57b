"""The numpy meaning of a whole graph, source operators and device operators alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mcubnn.errors import InternalError, UsageError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import Array
from mcubnn.ops.exact import chunks

Progress = Callable[[int, int], None]
"""Called with the number of samples done and the number of samples."""


def evaluate_graph(graph: Graph, images: Array) -> dict[str, Array]:
    """Every tensor of the graph for a batch that fits into memory.

    Args:
        graph: any graph, lowered or not.
        images: `[N, *shape]` of the graph's input.

    Raises:
        UsageError: the images have another shape or type than the graph's input.
    """
    _require_input(graph, images)
    tensors = {graph.input: images}
    for node in graph.nodes:
        tensors[node.result] = _evaluate_node(graph, node, tensors)
    return tensors


def evaluate_chunks(graph: Graph, images: Array) -> Iterator[tuple[slice, dict[str, Array]]]:
    """`evaluate_graph` over a large set, in pieces of bounded memory.

    Args:
        graph: any graph.
        images: `[N, *shape]` of the graph's input.

    Yields:
        The samples' slice and their tensors.
    """
    bytes_each = sum(_working_bytes(graph, node) for node in graph.nodes)
    for part in chunks(len(images), bytes_each):
        yield part, evaluate_graph(graph, images[part])


def evaluate_output(graph: Graph, images: Array, progress: Progress | None = None) -> Array:
    """The graph's output over a set of any size; intermediate tensors are freed on the way.

    Args:
        graph: any graph.
        images: `[N, *shape]` of the graph's input.
        progress: told after each piece.

    Raises:
        UsageError: the images have another shape or type than the graph's input.
    """
    _require_input(graph, images)
    bytes_each = max((_working_bytes(graph, node) for node in graph.nodes), default=1)
    pieces = []
    for part in chunks(len(images), bytes_each):
        pieces.append(_evaluate_freeing(graph, images[part]))
        if progress is not None:
            progress(part.stop, len(images))
    return np.concatenate(pieces)


def _evaluate_freeing(graph: Graph, images: Array) -> Array:
    last_use = {source: node.name for node in graph.nodes for source in node.sources}
    tensors = {graph.input: images}
    for node in graph.nodes:
        tensors[node.result] = _evaluate_node(graph, node, tensors)
        for source in set(node.sources):
            if last_use[source] == node.name and source != graph.output:
                del tensors[source]
    return tensors[graph.output]


def _evaluate_node(graph: Graph, node: Node, tensors: dict[str, Array]) -> Array:
    result = node.op.evaluate([tensors[source] for source in node.sources])
    declared = graph.tensors[node.result]
    if result.shape[1:] != declared.shape or result.dtype != declared.dtype.numpy:
        raise InternalError(
            f"node {node.name}: {node.op.name} evaluated to {result.dtype}{result.shape[1:]}, "
            f"declared is {declared}"
        )
    return result


def _working_bytes(graph: Graph, node: Node) -> int:
    """Rough memory of one sample: input, output and, for convolutions, all windows at once."""
    sources = [graph.tensors[source] for source in node.sources]
    result = graph.tensors[node.result]
    window_elements = node.op.macs(sources) // max(1, result.channels)
    return 8 * (window_elements + result.elements + sum(s.elements for s in sources))


def _require_input(graph: Graph, images: Array) -> None:
    declared = graph.tensors[graph.input]
    if images.shape[1:] != declared.shape or images.dtype != declared.dtype.numpy:
        raise UsageError(
            f"model {graph.name} reads {declared}; the samples given are "
            f"{images.dtype}{images.shape[1:]}",
            "convert the data set to the model's input type",
        )
