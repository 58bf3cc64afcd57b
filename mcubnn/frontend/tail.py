"""Drops what follows the class scores; the class stays the same."""

from __future__ import annotations

import math
from dataclasses import replace

from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawGraph, RawNode
from mcubnn.frontend.shapes import axis_index

TAIL_NOTES = {
    "Softmax": "dropped: the scores are its inputs; the class is the same",
    "LogSoftmax": "dropped: the scores are its inputs; the class is the same",
    "Sigmoid": "dropped: the scores are its inputs; 0.5 becomes a score of 0",
    "ArgMax": "dropped: the output is the scores; the class is the index of the largest",
}
_AFTER_ARG_MAX = frozenset(("Cast", "Squeeze", "Reshape", "Flatten", "Unsqueeze"))


def drop_tail(graph: RawGraph) -> RawGraph:
    """The graph that ends at the class scores, with a note for each dropped node."""
    producers = {node.result: node for node in graph.nodes}
    output = _skip_integer_steps(graph.output, producers)
    notes = list(graph.notes)
    while (node := producers.get(output)) is not None and _is_monotone_tail(graph, node):
        notes.append((node.name, f"{node.op_type} {TAIL_NOTES[node.op_type]}"))
        output = node.input(0)
    if len(notes) == len(graph.notes):
        return graph
    return replace(graph, output=output, notes=tuple(notes))


def _skip_integer_steps(output: str, producers: dict[str, RawNode]) -> str:
    """The ArgMax at the end, looking through reshapes and casts of the class number."""
    tensor = output
    while (node := producers.get(tensor)) is not None and node.op_type in _AFTER_ARG_MAX:
        tensor = node.input(0)
    return tensor if node is not None and node.op_type == "ArgMax" else output


def _is_monotone_tail(graph: RawGraph, node: RawNode) -> bool:
    """Whether dropping the node leaves the order of the class scores as it is."""
    if node.domain or node.op_type not in TAIL_NOTES:
        return False
    shape = graph.shapes.get(node.input(0))
    if shape is None or math.prod(shape) != max(shape, default=0):
        return False
    if node.op_type == "Sigmoid":
        return True
    try:
        axis = axis_index(node.integer("axis", _default_axis(graph, node)), len(shape))
    except RuleError:
        return False
    coerced = graph.opset < 13 and node.op_type != "ArgMax"  # softmax over all axes from `axis` on
    classes = math.prod(shape[axis:]) if coerced else shape[axis]
    return classes == math.prod(shape)


def _default_axis(graph: RawGraph, node: RawNode) -> int:
    if node.op_type == "ArgMax":
        return 0
    return 1 if graph.opset < 13 else -1
