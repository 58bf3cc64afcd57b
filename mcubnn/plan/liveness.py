"""When each tensor of a graph is alive."""

from __future__ import annotations

from dataclasses import dataclass

from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.base import DeviceOp

ALIGNMENT_BYTES = 4


@dataclass(frozen=True)
class Lifetime:
    """A buffer and the steps (node indices) during which it must keep its contents.

    Attributes:
        name: tensor, or `<node>.scratch`.
        in_place_of: tensor whose memory it may take over at `first_step`, or empty.
    """

    name: str
    size_bytes: int
    first_step: int
    last_step: int
    in_place_of: str = ""


def lifetimes(graph: Graph) -> tuple[Lifetime, ...]:
    """Exact lifetimes: the input lives from step 0, the output to the last step."""
    last_use = {graph.input: 0}
    for step, node in enumerate(graph.nodes):
        last_use[node.result] = step
        last_use.update(dict.fromkeys(node.sources, step))
    last_use[graph.output] = len(graph.nodes) - 1

    found = [_lifetime(graph, graph.input, 0, last_use[graph.input], "")]
    for step, node in enumerate(graph.nodes):
        op = device_op(node)
        (source,) = node.sources
        dies_here = last_use[source] == step
        takes_over = source if op.in_place and dies_here else ""
        found.append(_lifetime(graph, node.result, step, last_use[node.result], takes_over))
        scratch = op.kernel_call([graph.tensors[source]]).scratch_bytes
        if scratch:
            found.append(Lifetime(f"{node.name}.scratch", align(scratch), step, step))
    return tuple(found)


def align(size_bytes: int) -> int:
    """Rounded up to the arena's alignment."""
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def device_op(node: Node) -> DeviceOp:
    """The node's operator, which must have a kernel."""
    if not isinstance(node.op, DeviceOp):
        raise InternalError(f"node {node.name} ({node.op.name}) has no kernel")
    return node.op


def _lifetime(graph: Graph, tensor: str, first: int, last: int, takes_over: str) -> Lifetime:
    size = align(graph.tensors[tensor].storage_bytes)
    return Lifetime(tensor, size, first, last, takes_over)
