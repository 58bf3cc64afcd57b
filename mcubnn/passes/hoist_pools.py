"""Moves max-pooling of scaled bits in front of the scale, where it is a pool of bits.

Before: bits -> elementwise* -> max_pool. After: bits -> bit_max_pool -> elementwise*. Without it,
activations such as {0, 1} or +-alpha would count as real values behind the pool. A falling step
turns the maximum into the minimum of its channel.
"""

from __future__ import annotations

from dataclasses import replace

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import DType
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.passes.sink_pools import falling_channels


def hoist_pools(graph: Graph) -> Graph:
    """Apply the rewrite to every pool that reads bits through elementwise steps.

    Raises:
        ModelError: constants that differ by position between the two.
    """
    for name in [node.name for node in graph.nodes if isinstance(node.op, MaxPool)]:
        pool = next(node for node in graph.nodes if node.name == name)
        steps = _steps_from_bits(graph, pool)
        if steps:
            graph = _hoist(graph, pool, steps)
    return graph


def _steps_from_bits(graph: Graph, pool: Node) -> list[Node]:
    """The elementwise nodes between bits and a pool, in execution order; none without bits."""
    steps: list[Node] = []
    tensor = pool.sources[0]
    while graph.tensors[tensor].dtype is not DType.BIT:
        producer = graph.producer(tensor)
        if producer is None or not isinstance(producer.op, Elementwise):
            return []
        steps.insert(0, producer)
        tensor = producer.sources[0]
    return steps


def _hoist(graph: Graph, pool: Node, steps: list[Node]) -> Graph:
    assert isinstance(pool.op, MaxPool)
    bits = steps[0].sources[0]
    falling = falling_channels(pool, steps, graph.tensors[bits].channels)
    tensor = f"{pool.result}_bits"
    moved = [Node(pool.name, BitMaxPool(pool.op.window, falling), (bits,), tensor)]
    for step in steps:
        result = pool.result if step is steps[-1] else f"{step.result}_pooled"
        moved.append(replace(step, sources=(tensor,), result=result))
        tensor = result
    first = graph.nodes.index(steps[0])
    after = [node for node in graph.nodes[first:] if node not in steps and node is not pool]
    return with_nodes(graph, [*graph.nodes[:first], *moved, *after])
