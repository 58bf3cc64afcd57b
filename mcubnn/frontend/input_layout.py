"""What the axes of the model's input mean; a file does not say whether it is channels-first."""

from __future__ import annotations

from dataclasses import replace

from mcubnn.artifacts import InputLayout
from mcubnn.errors import UsageError
from mcubnn.frontend.layout import CHANNELS_FIRST, CHANNELS_LAST, Labels, Value, value_of
from mcubnn.frontend.raw import RawGraph, RawNode

_TO_CHANNELS_FIRST = (0, 3, 1, 2)
_SEES_CHANNELS_FIRST = frozenset(("Conv", "MaxPool", "GlobalMaxPool", "BatchNormalization"))
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


def with_layout(graph: RawGraph, wanted: InputLayout | None) -> tuple[RawGraph, Value]:
    """The input with its axes labelled, and the graph with a note if its sizes had to tell.

    Args:
        graph: simplified.
        wanted: what the user says, or None.

    Raises:
        UsageError: the network contradicts the user.
    """
    shape = graph.input_shape
    if len(shape) < 4:
        if wanted is not None:
            raise UsageError(
                f"--input-layout {wanted}: the model's input {list(shape)} is no map of channels",
                "leave it out: only an input of four axes has a layout",
            )
        labels: Labels = ("", "c") if len(shape) == 2 else ("", "h", "w")
        return graph, value_of(graph.input, shape, labels)
    found = _layout_in_use(graph)
    if wanted is not None and found not in (None, wanted):
        raise UsageError(
            f"--input-layout {wanted}: the network reads its input {list(shape)} as {found}",
            f"leave it out, or say {found}",
        )
    layout = wanted or found or _layout_by_sizes(graph)
    value = value_of(graph.input, shape, _LABELS[layout])
    if wanted or found or value.size("c") == 1:
        return graph, value
    other = next(each for each in InputLayout if each is not layout)
    text = (
        f"the input {list(shape)} is taken as {layout}, channels {value.size('c')}, judged by its "
        f"sizes: no layer tells; if it is not, say --input-layout {other}"
    )
    return replace(graph, notes=(*graph.notes, (graph.input, text))), value


_LABELS = {InputLayout.NCHW: CHANNELS_FIRST, InputLayout.NHWC: CHANNELS_LAST}


def _is_channels_last(graph: RawGraph) -> bool:
    return (_layout_in_use(graph) or _layout_by_sizes(graph)) is InputLayout.NHWC


def _layout_by_sizes(graph: RawGraph) -> InputLayout:
    _, first, _, last = graph.input_shape
    is_last = last <= _MAX_IMAGE_CHANNELS and last < first
    return InputLayout.NHWC if is_last else InputLayout.NCHW


def _layout_in_use(graph: RawGraph) -> InputLayout | None:
    """From the first node whose meaning depends on it; None if there is none."""
    readers: dict[str, list[RawNode]] = {}
    for node in graph.nodes:
        for name in set(node.inputs):
            readers.setdefault(name, []).append(node)
    tensor = graph.input
    while len(readers.get(tensor, ())) == 1:
        (reader,) = readers[tensor]
        if reader.op_type == "Transpose":
            is_last = reader.integers("perm") == _TO_CHANNELS_FIRST
            return InputLayout.NHWC if is_last else InputLayout.NCHW
        if reader.op_type in _SEES_CHANNELS_FIRST:
            return InputLayout.NCHW
        if graph.shapes.get(reader.result) != graph.input_shape:
            break
        tensor = reader.result
    return None
