"""Drops activations in front of a binarizer that leave the sign of every value as it is.

tanh(x) has the sign of x, so does a leaky ReLU. They are not monotone steps that thresholds could
follow bit for bit (nobody rounds tanh alike), but the sign behind them does not need them.
"""

from __future__ import annotations

from dataclasses import replace

from mcubnn.frontend.raw import RawGraph, RawNode

_PASSES_SIGNS = frozenset(("MaxPool", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"))
_COMPARISONS = frozenset(("Greater", "GreaterOrEqual", "Less", "LessOrEqual"))


def drop_sign_steps(graph: RawGraph) -> RawGraph:
    """The graph without them, with a note for each."""
    notes, aliases = list(graph.notes), dict[str, str]()
    nodes: list[RawNode] = []
    for node in graph.nodes:
        inputs = tuple(aliases.get(name, name) for name in node.inputs)
        if _keeps_signs(graph, node) and _only_signs_matter(graph, node.result):
            aliases[node.result] = inputs[0]
            notes.append(
                (node.name, f"{node.op_type} dropped: the binarizer behind it sees the same sign")
            )
            continue
        nodes.append(replace(node, inputs=inputs))
    return replace(graph, nodes=tuple(nodes), notes=tuple(notes)) if aliases else graph


def _keeps_signs(graph: RawGraph, node: RawNode) -> bool:
    """Whether the node is rising, and 0 at 0 only."""
    if node.domain:
        return False
    match node.op_type:
        case "Tanh" | "Softsign":
            return True
        case "LeakyRelu":
            return node.real("alpha", 0.01) > 0
        case "PRelu":
            slope = graph.constants.get(node.input(1))
            return slope is not None and bool((slope > 0).all())
        case _:
            return False


def _only_signs_matter(graph: RawGraph, tensor: str) -> bool:
    """Whether all that reads a tensor depends on the signs of its values only."""
    pending = [tensor]
    while pending:
        name = pending.pop()
        readers = [node for node in graph.nodes if name in node.inputs]
        if name == graph.output or not readers:
            return False
        for node in readers:
            if node.domain:
                return False
            if node.op_type in _PASSES_SIGNS:
                pending.extend(node.outputs)
            elif not _reads_signs(graph, node, name):
                return False
    return True


def _reads_signs(graph: RawGraph, node: RawNode, tensor: str) -> bool:
    if node.op_type == "Sign":
        return True
    if node.op_type not in _COMPARISONS:
        return False
    limits = [graph.constants.get(name) for name in node.inputs if name != tensor]
    return len(limits) == 1 and limits[0] is not None and not limits[0].any()
