"""Checks that a graph is well formed; run after the frontend and between passes."""

from __future__ import annotations

from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import TensorType


def verify(graph: Graph) -> None:
    """Check order, single assignment, unique names and types.

    Raises:
        InternalError: the graph breaks one of these rules, which is our own defect.
    """
    if graph.input not in graph.tensors:
        raise _defect(graph, f"the input {graph.input} has no type")
    written = {graph.input: graph.tensors[graph.input]}
    names: set[str] = set()
    for node in graph.nodes:
        if node.name in names:
            raise _defect(graph, f"two nodes are named {node.name}")
        names.add(node.name)
        written[node.result] = _checked_type(graph, node, written)
    if graph.output not in written:
        raise _defect(graph, f"no node writes the output {graph.output}")
    if extra := sorted(graph.tensors.keys() - written.keys()):
        raise _defect(graph, f"tensors that no node writes: {', '.join(extra)}")


def _checked_type(graph: Graph, node: Node, written: dict[str, TensorType]) -> TensorType:
    """The type of a node's result, which must be what the graph records."""
    where = f"node {node.name} ({node.op.name})"
    for source in node.sources:
        if source not in written:
            raise _defect(graph, f"{where} reads {source} before it is written")
    if node.result in written:
        raise _defect(graph, f"{where} writes {node.result} a second time")
    try:
        inferred = node.op.infer([written[source] for source in node.sources])
    except TypeRuleError as error:
        raise _defect(graph, f"{where}: {error}") from error
    recorded = graph.tensors.get(node.result)
    if recorded != inferred:
        raise _defect(graph, f"{where}: {node.result} is {inferred}, recorded as {recorded}")
    return inferred


def _defect(graph: Graph, what: str) -> InternalError:
    return InternalError(f"graph {graph.name}: {what}", "please report this with the model")
