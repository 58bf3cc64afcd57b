"""What values can occur: integer sums of a layer, and real activations without data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import DType
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Clip, Elementwise
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.quantize import Quantize

Interval = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Lower and upper bound, each broadcastable to the tensor."""

_VALUE_RANGE = {DType.BIT: (-1, 1), DType.UINT8: (0, 255), DType.INT8: (-128, 127)}


def value_range(dtype: DType) -> tuple[int, int]:
    """Smallest and largest value of an integer input."""
    return _VALUE_RANGE[dtype]


def sum_bounds(
    weights: NDArray[np.float64],
    low: NDArray[np.float64] | np.float64,
    high: NDArray[np.float64] | np.float64,
    absent: bool,
) -> Interval:
    """Bounds of sum(w * x) per output channel.

    Args:
        weights: `[C_out, ...]`.
        low: lower bounds of x, broadcastable to one channel's weights.
        high: upper bounds of x, likewise.
        absent: whether any tap may lie outside the map and count as 0.
    """
    at_low, at_high = weights * low, weights * high
    largest, smallest = np.maximum(at_low, at_high), np.minimum(at_low, at_high)
    if absent:
        largest, smallest = np.maximum(largest, 0), np.minimum(smallest, 0)
    axes = tuple(range(1, weights.ndim))
    return smallest.sum(axis=axes), largest.sum(axis=axes)


def least_value(graph: Graph, tensor: str) -> float:
    """A lower bound of a tensor, as far as the steps since the last layer tell; else -inf."""
    dtype = graph.tensors[tensor].dtype
    if dtype in _VALUE_RANGE:
        return float(_VALUE_RANGE[dtype][0])
    producer = graph.producer(tensor)
    match None if producer is None else producer.op:
        case Clip(low=low):
            return low
        case MaxPool():
            assert producer is not None
            return least_value(graph, producer.sources[0])
        case Elementwise() as step if bool((step.direction() > 0).all()):
            assert producer is not None
            below = np.full(1, least_value(graph, producer.sources[0]), np.float32)
            return float(step.apply(below).min())
        case _:
            return -np.inf


def real_bounds(graph: Graph) -> dict[str, Interval]:
    """Bounds of every tensor of a graph of source operators, by interval arithmetic."""
    bounds: dict[str, Interval] = {}
    for tensor, kind in graph.tensors.items():
        if kind.dtype in _VALUE_RANGE:
            low, high = _VALUE_RANGE[kind.dtype]
            bounds[tensor] = (np.float64(low).reshape(1), np.float64(high).reshape(1))
    for node in graph.nodes:
        if node.result not in bounds:
            bounds[node.result] = _propagate(node, bounds[node.sources[0]])
    return bounds


def _propagate(node: Node, source: Interval) -> Interval:
    low, high = source
    match node.op:
        case Conv2d(weights=weights, bias=bias, window=window, pad_value=pad_value):
            low, high = _over_positions(source)
            if window.has_padding:
                low, high = np.minimum(low, pad_value), np.maximum(high, pad_value)
            smallest, largest = sum_bounds(weights.astype(np.float64), low, high, absent=False)
            shift = 0.0 if bias is None else bias
            return smallest + shift, largest + shift
        case Dense(weights=weights, bias=bias):
            smallest, largest = sum_bounds(weights.astype(np.float64), low, high, absent=False)
            shift = 0.0 if bias is None else bias
            return smallest + shift, largest + shift
        case Elementwise():
            ends = node.op.apply_exact(low), node.op.apply_exact(high)
            return np.minimum(*ends), np.maximum(*ends)
        case Quantize():
            return source
        case MaxPool():
            return _over_positions(source)
        case _:
            raise InternalError(f"no bounds for operator {node.op.name} ({node.name})")


def _over_positions(bounds: Interval) -> Interval:
    """Bounds that hold at every position of a map: one per channel."""
    low, high = bounds
    axes = tuple(range(low.ndim - 1)), tuple(range(high.ndim - 1))
    return low.min(axis=axes[0]), high.max(axis=axes[1])
