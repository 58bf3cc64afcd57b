"""Building graphs from node lists: types are inferred, never stated twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mcubnn.errors import ModelError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import TensorType


def infer_tensors(
    graph_input: str, input_type: TensorType, nodes: Iterable[Node]
) -> dict[str, TensorType]:
    """Types of the input and of every result, in execution order.

    Raises:
        ModelError: a node's input breaks its operator's rule.
    """
    tensors = {graph_input: input_type}
    for node in nodes:
        try:
            tensors[node.result] = node.op.infer([tensors[name] for name in node.sources])
        except TypeRuleError as error:
            raise ModelError(f"node {node.name} ({node.op.name}): {error}") from error
    return tensors


def with_nodes(graph: Graph, nodes: Iterable[Node], input_type: TensorType | None = None) -> Graph:
    """The same graph with other nodes (and input type); the output is the last node's result."""
    listed = tuple(nodes)
    first = input_type or graph.tensors[graph.input]
    output = listed[-1].result if listed else graph.input
    return replace(
        graph,
        nodes=listed,
        output=output,
        tensors=infer_tensors(graph.input, first, listed),
    )


def run_from(graph: Graph, start: str) -> tuple[Node, ...]:
    """The longest sequence of nodes from a tensor on in which each feeds only the next."""
    sequence: list[Node] = []
    tensor = start
    while len(consumers := graph.consumers(tensor)) == 1 and len(consumers[0].sources) == 1:
        sequence.append(consumers[0])
        tensor = consumers[0].result
    return tuple(sequence)
