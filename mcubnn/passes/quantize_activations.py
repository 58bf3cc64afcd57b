"""Gives every layer an integer input.

Layers that read pixels or bits, possibly through constant factors and offsets, are left alone. A
layer that reads a real activation (after hardtanh or ReLU, say) gets an int8 `quantize` in front,
with one scale per tensor from calibration data, or from interval arithmetic without data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcubnn.errors import ModelError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.types import Array
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Clip, Elementwise, Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.quantize import Quantize
from mcubnn.passes.bounds import real_bounds

INT8_LIMIT = 127

DEVIATIONS = 6
"""Values further from a batch norm's mean saturate; interval arithmetic knows no statistics."""


def quantize_activations(graph: Graph, calibration: Array | None) -> Graph:
    """Insert quantize and the factor that undoes it before each layer that needs it.

    Args:
        graph: source operators.
        calibration: pixels `[N, *input shape]`, or None for data-free bounds.

    Raises:
        ModelError: an activation has no finite bound.
    """
    while (node := _first_real_input(graph)) is not None:
        graph = _quantize(graph, node, calibration)
    return graph


def _first_real_input(graph: Graph) -> Node | None:
    layers = (node for node in graph.nodes if isinstance(node.op, Conv2d | Dense))
    return next((n for n in layers if not _reads_integers(graph, n.sources[0])), None)


def _reads_integers(graph: Graph, tensor: str) -> bool:
    """Whether a tensor is integers times constants plus constants."""
    while not graph.tensors[tensor].dtype.is_integer:
        producer = graph.producer(tensor)
        if producer is None or not isinstance(producer.op, Elementwise):
            return False
        if not producer.op.is_affine:
            return False
        tensor = producer.sources[0]
    return True


def _quantize(graph: Graph, layer: Node, calibration: Array | None) -> Graph:
    (source,) = layer.sources
    largest, origin = _largest(graph, source, calibration)
    if not np.isfinite(largest):
        raise ModelError(
            f"node {layer.name} ({layer.op.name}): its real-valued input has no finite bound",
            "pass --calibrate data.npz with typical images",
        )
    scale = (largest or 1.0) / INT8_LIMIT
    quantized, restored = f"{source}_int8", f"{source}_real"
    inserted = (
        Node(quantized, Quantize(scale), (source,), quantized),
        Node(restored, Mul(np.asarray(scale, dtype=np.float32)), (quantized,), restored),
    )
    index = graph.nodes.index(layer)
    nodes = (
        *graph.nodes[:index],
        *inserted,
        replace(layer, sources=(restored,)),
        *graph.nodes[index + 1 :],
    )
    note = Note(
        layer.name,
        f"real-valued input quantized to int8 with scale {scale:.4g}, range +-{largest:.4g} "
        f"from {origin}",
    )
    return with_nodes(graph, nodes).with_notes(note)


def _largest(graph: Graph, tensor: str, calibration: Array | None) -> tuple[float, str]:
    if calibration is None:
        low, high = real_bounds(graph)[tensor]
        certain = float(max(np.abs(low).max(), np.abs(high).max()))
        likely = _batch_norm_reach(graph, tensor)
        if likely < certain:
            return likely, f"batch-norm statistics, {DEVIATIONS} standard deviations"
        return certain, "interval arithmetic (--calibrate gives a tighter one)"
    values = calibration
    for node in graph.nodes:
        values = node.op.evaluate([values])
        if node.result == tensor:
            break
    return float(np.abs(values).max()), f"{len(calibration)} calibration images"


def _batch_norm_reach(graph: Graph, tensor: str) -> float:
    """Largest magnitude within `DEVIATIONS` of the batch norm behind a tensor; inf without one.

    The output of a batch norm has mean beta and standard deviation |gamma| on the training data.
    """
    node = graph.producer(tensor)
    while node is not None and isinstance(node.op, Clip | MaxPool):
        node = graph.producer(node.sources[0])
    if node is None or not isinstance(node.op, BatchNorm):
        return float("inf")
    return float((np.abs(node.op.beta) + DEVIATIONS * np.abs(node.op.gamma)).max())
