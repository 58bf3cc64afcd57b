"""Lets convolutions pool the bits they write, so that the map between is never stored.

Before: conv -> bit_max_pool. After: conv with pool. That map is as large as the layer's output
gets, and often what decides how much RAM the network needs. Nothing is computed twice, since the
pooling windows do not overlap, and what they do not read is no longer computed at all.
"""

from __future__ import annotations

from dataclasses import replace

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.pooled import windows_are_disjoint


def fuse_pools(graph: Graph) -> Graph:
    """Apply the rewrite wherever a convolution's only reader is a pool with disjoint windows."""
    fused: dict[str, Node] = {}
    gone: set[str] = set()
    for pool in graph.nodes:
        conv = _convolution_before(graph, pool)
        if conv is not None:
            fused[conv.name] = _fuse(conv, pool)
            gone.add(pool.name)
    nodes = [fused.get(node.name, node) for node in graph.nodes if node.name not in gone]
    lighter = with_nodes(graph, nodes)
    densities = {k: share for k, share in graph.densities.items() if k in lighter.tensors}
    return replace(lighter, densities=densities)


def _convolution_before(graph: Graph, pool: Node) -> Node | None:
    """The convolution that can take over a pool; None for other nodes."""
    if not isinstance(pool.op, BitMaxPool) or not windows_are_disjoint(pool.op.window):
        return None
    (source,) = pool.sources
    conv = graph.producer(source)
    if conv is None or not isinstance(conv.op, BinaryConv2d | InputConv2d):
        return None
    return conv if len(graph.consumers(source)) == 1 else None


def _fuse(conv: Node, pool: Node) -> Node:
    assert isinstance(conv.op, BinaryConv2d | InputConv2d)
    assert isinstance(pool.op, BitMaxPool)
    return replace(conv, op=conv.op.with_pool(pool.op), result=pool.result)
