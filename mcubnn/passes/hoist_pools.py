"""Moves max-pooling of scaled bits or pixels in front of the scale, where it is one of integers.

Before: integers -> elementwise* -> max_pool. After: integers -> bit_max_pool or int8_max_pool ->
elementwise*. Without it, activations such as {0, 1} or +-alpha, and normalised pixels, would count
as real values behind the pool. A falling step
turns the maximum into the minimum of its channel.
"""

from __future__ import annotations

from dataclasses import replace

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.passes.sink_pools import device_pool, falling_channels


def hoist_pools(graph: Graph) -> Graph:
    """Apply the rewrite to every pool that reads integers through elementwise steps.

    Raises:
        ModelError: constants that differ by position between the two.
    """
    for name in [node.name for node in graph.nodes if isinstance(node.op, MaxPool)]:
        pool = next(node for node in graph.nodes if node.name == name)
        steps = _steps_from_integers(graph, pool)
        if steps:
            graph = _hoist(graph, pool, steps)
    return graph


def _steps_from_integers(graph: Graph, pool: Node) -> list[Node]:
    """The elementwise nodes between integers and a pool, in execution order; none without."""
    steps: list[Node] = []
    tensor = pool.sources[0]
    while not graph.tensors[tensor].dtype.is_integer:
        producer = graph.producer(tensor)
        if producer is None or not isinstance(producer.op, Elementwise):
            return []
        steps.insert(0, producer)
        tensor = producer.sources[0]
    return steps


def _hoist(graph: Graph, pool: Node, steps: list[Node]) -> Graph:
    assert isinstance(pool.op, MaxPool)
    integers = steps[0].sources[0]
    kind = graph.tensors[integers]
    falling = falling_channels(pool, steps, kind)
    tensor = f"{pool.result}_integers"
    moved = [Node(pool.name, device_pool(pool.op, kind.dtype, falling), (integers,), tensor)]
    for step in steps:
        result = pool.result if step is steps[-1] else f"{step.result}_pooled"
        moved.append(replace(step, sources=(tensor,), result=result))
        tensor = result
    first = graph.nodes.index(steps[0])
    after = [node for node in graph.nodes[first:] if node not in steps and node is not pool]
    return with_nodes(graph, [*graph.nodes[:first], *moved, *after])
