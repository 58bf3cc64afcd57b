"""Moves max-pooling behind the step that makes its elements small.

Before: max_pool -> elementwise* -> sign (or quantize). After: elementwise* -> sign -> bit pool.
The maximum commutes with a rising map; with a falling one (negative batch-norm gamma) it becomes
the minimum, which on bits is AND instead of OR, chosen channel by channel. Constants that differ by
position are spread over the windows they belong to, where no pixel lies in two windows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import run_from, with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.elementwise import Elementwise, Floats
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.quantize import Quantize
from mcubnn.ops.defs.sign import Sign


def sink_pools(graph: Graph) -> Graph:
    """Apply the rewrite until every max_pool is a device operator, the last one first.

    Raises:
        ModelError: a pool that no sign or quantize follows, or constants that differ by position
            between the two and windows that share pixels.
    """
    while (pool := _last_pool(graph)) is not None:
        graph = _sink(graph, pool)
    return graph


def _last_pool(graph: Graph) -> Node | None:
    return next((n for n in reversed(graph.nodes) if isinstance(n.op, MaxPool)), None)


def _sink(graph: Graph, pool: Node) -> Graph:
    assert isinstance(pool.op, MaxPool)
    steps: list[Node] = []
    end: Node | None = None
    if not graph.tensors[pool.result].dtype.is_integer:
        for node in run_from(graph, pool.result):
            if isinstance(node.op, Elementwise):
                steps.append(node)
                continue
            end = node if isinstance(node.op, Sign | Quantize) else None
            break
        if end is None:
            raise _no_binarizer(pool)
    minimum = _falling(steps, graph.tensors[pool.result])
    moved = [_on_unpooled(graph, pool, step) for step in steps]
    moved = moved if end is None else [*moved, end]
    kind = graph.tensors[moved[-1].result if moved else pool.sources[0]].dtype
    if minimum.ndim > 1 and kind is not DType.BIT:
        raise _per_position(pool, steps[0])
    tail = _relink(pool, moved, device_pool(pool.op, kind, minimum))
    first = graph.nodes.index(pool)
    names = {node.name for node in moved}
    rest = [n for n in graph.nodes[first + 1 :] if n.name not in names]
    return with_nodes(graph, [*graph.nodes[:first], *tail, *rest])


def _relink(pool: Node, moved: list[Node], op: DeviceOp) -> list[Node]:
    """The moved nodes on the unpooled map, then the pool under the last one's old result."""
    nodes: list[Node] = []
    tensor = pool.sources[0]
    for node in moved:
        unpooled = f"{node.result}_unpooled"
        nodes.append(replace(node, sources=(tensor,), result=unpooled))
        tensor = unpooled
    final = moved[-1].result if moved else pool.result
    return [*nodes, Node(pool.name, op, (tensor,), final)]


def falling_channels(pool: Node, steps: list[Node], kind: TensorType) -> NDArray[np.bool_]:
    """`[C]`, set where the elementwise steps next to a pool map larger values to smaller ones.

    Raises:
        ModelError: constants that differ by position.
    """
    for step in steps:
        assert isinstance(step.op, Elementwise)
        if any(constant.ndim > 1 for constant in step.op.constants()):
            raise _per_position(pool, step)
    return _falling(steps, kind)


def _falling(steps: list[Node], kind: TensorType) -> NDArray[np.bool_]:
    """Where the steps fall: `[C]` if no channel rises elsewhere, else `[H, W, C]`."""
    direction = np.ones(kind.channels, np.float32)
    for step in steps:
        assert isinstance(step.op, Elementwise)
        direction = direction * np.sign(step.op.direction())
    everywhere = np.broadcast_to(direction, kind.shape)
    pixels = tuple(range(everywhere.ndim - 1))
    falls, rises = (everywhere < 0).any(axis=pixels), (everywhere > 0).any(axis=pixels)
    mixed = bool((falls & rises).any())
    return np.asarray(everywhere < 0) if mixed else np.asarray(falls)


def _on_unpooled(graph: Graph, pool: Node, step: Node) -> Node:
    """A step with constants for the map before the pool.

    Raises:
        ModelError: constants that differ by position, behind windows that share pixels.
    """
    assert isinstance(pool.op, MaxPool)
    assert isinstance(step.op, Elementwise)
    if all(constant.ndim <= 1 for constant in step.op.constants()):
        return step
    window, pooled = pool.op.window, graph.tensors[pool.result]
    if window.has_padding or any(s < t for s, t in zip(window.strides, window.span, strict=True)):
        raise _per_position(pool, step)
    # A pixel of no window takes the constants of the one before it; nothing reads its result.
    rows, columns = (
        np.minimum(np.arange(size) // stride, last - 1)
        for size, stride, last in zip(
            graph.tensors[pool.sources[0]].shape, window.strides, pooled.shape[:2], strict=False
        )
    )

    def spread(constant: Floats) -> Floats:
        if constant.ndim <= 1:
            return constant
        each = np.broadcast_to(constant, (*pooled.shape[:2], constant.shape[-1]))
        return each[rows[:, None], columns]

    return replace(step, op=step.op.map_constants(spread))


def _per_position(pool: Node, step: Node) -> ModelError:
    return ModelError(
        f"node {step.name} ({step.op.name}): constants that differ by position cannot stand next "
        f"to the pooling {pool.name}",
        "use per-channel constants next to pooling",
    )


def device_pool(op: MaxPool, kind: DType, minimum: NDArray[np.bool_]) -> DeviceOp:
    """The pool of bits or of 8-bit integers; minimum in the channels marked so."""
    if kind is DType.BIT:
        return BitMaxPool(op.window, minimum)
    return Int8MaxPool(op.window, minimum)


def _no_binarizer(pool: Node) -> ModelError:
    return ModelError(
        f"node {pool.name} (MaxPool): a max-pool must be followed by a binarizer or a layer",
        "end the network with a layer, not with pooling",
    )
