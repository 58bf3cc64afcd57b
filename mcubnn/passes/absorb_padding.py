"""Merges explicit padding into the convolution that follows it.

Before: pad -> conv2d. After: conv2d with the pads and the pad value.
"""

from __future__ import annotations

from dataclasses import replace

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.shape import Pad

Pads = tuple[int, int, int, int]


def absorb_padding(graph: Graph) -> Graph:
    """Apply the rewrite everywhere.

    Raises:
        ModelError: a pad that is not followed by a convolution alone, or whose value differs from
            the convolution's own padding.
    """
    nodes: list[Node] = []
    pending: Node | None = None
    for node in graph.nodes:
        if isinstance(node.op, Pad):
            pending = _stack(pending, node)
        elif pending is None:
            nodes.append(node)
        else:
            nodes.append(_merge(pending, node))
            pending = None
    if pending is not None:
        raise _not_followed_by_conv(pending, "the graph's output")
    return with_nodes(graph, nodes)


def _stack(earlier: Node | None, node: Node) -> Node:
    if earlier is None:
        return node
    assert isinstance(earlier.op, Pad)
    assert isinstance(node.op, Pad)
    if earlier.op.value != node.op.value:
        raise _not_followed_by_conv(earlier, node.name)
    pads = _sum(earlier.op.pads, node.op.pads)
    return replace(node, op=replace(node.op, pads=pads), sources=earlier.sources)


def _sum(a: Pads, b: Pads) -> Pads:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


def _merge(pad: Node, node: Node) -> Node:
    assert isinstance(pad.op, Pad)
    if not isinstance(node.op, Conv2d) or node.sources != (pad.result,):
        raise _not_followed_by_conv(pad, f"{node.name} ({node.op.name})")
    window = node.op.window
    if window.has_padding and node.op.pad_value != pad.op.value:
        raise ModelError(
            f"node {pad.name} (Pad): pads with {pad.op.value:g}, and the convolution {node.name} "
            f"pads with {node.op.pad_value:g} again",
            "pad in one place: set the convolution's padding to 0",
        )
    pads = _sum(pad.op.pads, window.pads)
    conv = replace(node.op, window=replace(window, pads=pads), pad_value=pad.op.value)
    return replace(node, op=conv, sources=pad.sources)


def _not_followed_by_conv(pad: Node, found: str) -> ModelError:
    return ModelError(
        f"node {pad.name} (Pad): a Pad must be followed by a Conv; found {found}",
        "place the padding directly before the convolution",
    )
