"""Merges explicit padding into the convolution or pooling that follows it.

Before: pad -> (elementwise, sign)* -> conv2d or max_pool. After: the steps on the map without its
border, then the layer with the pads. What the steps make of the padded value is the new one: a 0 in
front of `x >= 0 ? 1 : -1` is a padding of +1, in front of the framework's Sign it stays 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.elementwise import Add, Clip, Elementwise
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Pad
from mcubnn.ops.defs.sign import Sign
from mcubnn.passes.bounds import least_value

Pads = tuple[int, int, int, int]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Border:
    """Padding on its way to the layer that takes it.

    Attributes:
        pad: the node it came from.
        pads: rows and columns at the top, left, bottom and right.
        value: what is padded with: scalar, or `[C]`.
        padded: tensor that has the border in the original graph.
        bare: the same without it.
        least: smallest value that `bare` can hold, over all channels.
    """

    pad: Node
    pads: Pads
    value: Floats
    padded: str
    bare: str
    least: float


def absorb_padding(graph: Graph) -> Graph:
    """Apply the rewrite everywhere.

    Raises:
        ModelError: a pad that no convolution or pooling can take over.
    """
    nodes: list[Node] = []
    border: _Border | None = None
    for node in graph.nodes:
        if border is None and isinstance(node.op, Pad):
            border = _begin(graph, node)
        elif border is None:
            nodes.append(node)
        else:
            border = _advance(border, node, nodes)
    if border is not None:
        raise _refused(border, "the graph's output")
    return with_nodes(graph, nodes)


def _begin(graph: Graph, node: Node) -> _Border:
    assert isinstance(node.op, Pad)
    (source,) = node.sources
    value = np.asarray(node.op.value, np.float32)
    return _Border(node, node.op.pads, value, node.result, source, least_value(graph, source))


def _advance(border: _Border, node: Node, nodes: list[Node]) -> _Border | None:
    """Append what becomes of the node; the border behind it, None where a layer took it."""
    if node.sources != (border.padded,):
        raise _refused(border, f"{node.name} ({node.op.name})")
    match node.op:
        case Pad():
            return _stack(border, node)
        case Elementwise() | Sign():
            nodes.append(replace(node, sources=(border.bare,)))
            return _behind(border, node)
        case MaxPool():
            nodes.append(_pool(border, node))
        case Conv2d():
            nodes.extend(_conv(border, node))
        case _:
            raise _refused(border, f"{node.name} ({node.op.name})")
    return None


def _stack(border: _Border, node: Node) -> _Border:
    assert isinstance(node.op, Pad)
    if not (border.value == np.float32(node.op.value)).all():
        raise _refused(border, f"{node.name} (Pad), which pads with another value")
    return replace(border, pads=_sum(border.pads, node.op.pads), padded=node.result)


def _behind(border: _Border, node: Node) -> _Border:
    """The border after a step."""
    ends = np.stack([border.value, np.full_like(border.value, border.least)])
    with np.errstate(invalid="ignore"):  # 0 * -inf: refused at the layer as not a number
        value, least = _stepped(border, node, ends)
    uniform = bool((value == value.flat[0]).all())
    return replace(
        border,
        value=value.reshape(-1)[:1].reshape(()) if uniform else value,
        padded=node.result,
        bare=node.result,
        least=least,
    )


def _stepped(border: _Border, node: Node, ends: Floats) -> tuple[Floats, float]:
    """The value and the bound, stacked, after a step."""
    step = node.op
    if isinstance(step, Sign):
        value = np.where(ends[0] == 0, step.at_zero, np.sign(ends[0]))
        return value.astype(np.float32), -1.0
    assert isinstance(step, Elementwise)
    if any(max(c.shape[:-1], default=1) > 1 for c in step.constants()):
        raise _refused(border, f"{node.name} ({step.name}), whose constants differ by position")
    value, least = (step.apply(end).reshape(-1) for end in ends)
    is_rising = bool((step.direction() > 0).all())
    bound = float(least.min()) if is_rising else -np.inf
    return value, max(bound, step.low) if isinstance(step, Clip) else bound


def _pool(border: _Border, node: Node) -> Node:
    """Taps outside the map do not count in a pool: the same if the value can never win."""
    assert isinstance(node.op, MaxPool)
    highest = float(border.value.max())
    if not highest <= border.least:
        raise ModelError(
            f"node {border.pad.name} (Pad): pads with {highest:g} in front of the max-pool "
            f"{node.name}, whose input can be smaller ({border.least:g}): the border can win",
            "use the pooling's own padding, or pad with -inf (-1 behind a sign, 0 behind Relu)",
        )
    window = node.op.window
    merged = replace(window, pads=_sum(border.pads, window.pads))
    return replace(node, op=MaxPool(merged), sources=(border.bare,))


def _conv(border: _Border, node: Node) -> list[Node]:
    assert isinstance(node.op, Conv2d)
    conv, value = node.op, border.value
    own = conv.window.has_padding
    if not np.isfinite(value).all():
        raise ModelError(
            f"node {border.pad.name} (Pad): pads with {value.flat[0]} in front of the convolution "
            f"{node.name}",
            "pad with a number",
        )
    if own and not (value == np.float32(conv.pad_value)).all():
        raise ModelError(
            f"node {border.pad.name} (Pad): pads with {_shown(value)}, and the convolution "
            f"{node.name} pads with {conv.pad_value:g} again",
            "pad in one place: set the convolution's padding to 0",
        )
    window = replace(conv.window, pads=_sum(border.pads, conv.window.pads))
    if value.ndim == 0:
        merged = replace(conv, window=window, pad_value=float(value))
        return [replace(node, op=merged, sources=(border.bare,))]
    return _shifted(border, node, replace(conv, window=window, pad_value=0.0))


def _shifted(border: _Border, node: Node, conv: Conv2d) -> list[Node]:
    """A value v per channel: conv(pad(x, v)) = conv(pad(x - v, 0)) + sum(w * v)."""
    added = (conv.weights.astype(np.float64) * border.value).sum(axis=(1, 2, 3))
    bias = (added if conv.bias is None else conv.bias + added).astype(np.float32)
    name = f"{node.name}.border"
    return [
        Node(name, Add(-border.value), (border.bare,), name),
        replace(node, op=replace(conv, bias=bias), sources=(name,)),
    ]


def _sum(a: Pads, b: Pads) -> Pads:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


def _shown(value: Floats) -> str:
    return f"{float(value):g}" if value.ndim == 0 else "a value per channel"


def _refused(border: _Border, found: str) -> ModelError:
    return ModelError(
        f"node {border.pad.name} (Pad): a Pad must be followed by a Conv or a MaxPool, with only "
        f"elementwise steps and binarizers between; found {found}",
        "place the padding directly before the convolution",
    )
