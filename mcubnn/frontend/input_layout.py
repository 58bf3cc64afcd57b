"""What the axes of the model's input mean; a file does not say whether it is channels-first."""

from __future__ import annotations

from dataclasses import replace

from mcubnn.frontend.layout import CHANNELS_FIRST, CHANNELS_LAST, Labels, Value, value_of
from mcubnn.frontend.raw import RawGraph, RawNode

_TO_CHANNELS_FIRST = (0, 3, 1, 2)
_SEES_CHANNELS_FIRST = frozenset(("Conv", "MaxPool", "BatchNormalization"))
_MAX_IMAGE_CHANNELS = 4


def spread_input(graph: RawGraph) -> RawGraph:
    """Let a vector input that is only reshaped to a map be that map, if the order is the same."""
    readers = [node for node in graph.nodes if graph.input in node.inputs]
    if len(graph.input_shape) != 2 or len(readers) != 1 or readers[0].op_type != "Reshape":
        return graph
    (reader,) = readers
    shape = graph.shapes.get(reader.result)
    if shape is None or len(shape) != 4 or shape[0] != 1:
        return graph
    nodes = tuple(
        replace(node, inputs=tuple(graph.input if i == reader.result else i for i in node.inputs))
        for node in graph.nodes
        if node is not reader
    )
    spread = replace(
        graph,
        input_shape=shape,
        nodes=nodes,
        output=graph.input if graph.output == reader.result else graph.output,
        shapes={**graph.shapes, graph.input: shape},
    )
    return spread if shape[1] == 1 or _is_channels_last(spread) else graph


def input_value(graph: RawGraph) -> Value:
    """The input with its axes labelled."""
    labels: Labels
    match len(graph.input_shape):
        case 2:
            labels = ("", "c")
        case 3:
            labels = ("", "h", "w")
        case _:
            labels = CHANNELS_LAST if _is_channels_last(graph) else CHANNELS_FIRST
    return value_of(graph.input, graph.input_shape, labels)


def _is_channels_last(graph: RawGraph) -> bool:
    """From the first node whose meaning depends on it; from the sizes if there is none."""
    readers: dict[str, list[RawNode]] = {}
    for node in graph.nodes:
        for name in set(node.inputs):
            readers.setdefault(name, []).append(node)
    tensor = graph.input
    while len(readers.get(tensor, ())) == 1:
        (reader,) = readers[tensor]
        if reader.op_type == "Transpose":
            return reader.integers("perm") == _TO_CHANNELS_FIRST
        if reader.op_type in _SEES_CHANNELS_FIRST:
            return False
        if graph.shapes.get(reader.result) != graph.input_shape:
            break
        tensor = reader.result
    _, first, _, last = graph.input_shape
    return last <= _MAX_IMAGE_CHANNELS and last < first
