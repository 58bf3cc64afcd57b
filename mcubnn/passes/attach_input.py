"""Makes the graph start at the pixels the device receives.

Before: a float32 input. After: a uint8 or int8 input followed by the user's normalisation
x = (pixel * scale - mean) / std as one `normalize`, which `lower_layers` folds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.artifacts import InputOptions
from mcubnn.errors import UsageError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.elementwise import Normalize

NORMALISATION = "input_normalisation"


def attach_input(graph: Graph, options: InputOptions) -> Graph:
    """Type the input and insert the normalisation unless it is x = pixel.

    Raises:
        UsageError: mean or std have neither one value nor one per channel, or std holds a zero.
    """
    channels = graph.tensors[graph.input].channels
    mean = _per_channel("--mean", options.mean, channels)
    std = _per_channel("--std", options.std, channels)
    if not std.all() or options.scale == 0.0:
        raise UsageError("--std and --input-scale must not be 0", "leave them out for 1")
    pixels = graph.tensors[graph.input].with_dtype(options.dtype)
    if bool((options.scale / std == 1.0).all()) and not mean.any():
        return with_nodes(graph, graph.nodes, pixels)
    step = Normalize(np.asarray(options.scale), mean, std)
    first = Node(NORMALISATION, step, (graph.input,), NORMALISATION)
    rest = [
        Node(n.name, n.op, tuple(_after(s, graph.input) for s in n.sources), n.result)
        for n in graph.nodes
    ]
    return with_nodes(graph, [first, *rest], pixels)


def _after(source: str, graph_input: str) -> str:
    return NORMALISATION if source == graph_input else source


def _per_channel(option: str, values: tuple[float, ...], channels: int) -> NDArray[np.float64]:
    if len(values) not in (1, channels):
        raise UsageError(
            f"{option} has {len(values)} values; the model's input has {channels} channels",
            f"give one value, or {channels} separated by commas",
        )
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(()) if len(values) == 1 else array
