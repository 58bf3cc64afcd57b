"""Short ways to write graphs of source operators, and what a lowered graph must still compute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcubnn.artifacts import InputOptions
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.geometry import Window
from mcubnn.passes.attach_input import attach_input
from mcubnn.passes.check_lowering import check_lowering
from mcubnn.passes.pipeline import lower, run_passes


def network(shape: Sequence[int], *ops: Op, dtype: DType = DType.FLOAT32) -> Graph:
    """A chain; node k is named after its operator and k, and so is its result."""
    nodes: list[Node] = []
    source = "x"
    for index, op in enumerate(ops):
        name = f"{op.name}_{index}"
        nodes.append(Node(name, op, (source,), name))
        source = name
    kind = TensorType(tuple(shape), dtype)
    return with_nodes(Graph("net", "x", source, (), {"x": kind}), nodes)


def f32(values: object) -> Array:
    return np.asarray(values, dtype=np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def signs(*shape: int, seed: int = 0) -> Array:
    return f32(rng(seed).choice([-1.0, 1.0], shape))


def conv(
    channels: tuple[int, int],
    kernel: int = 3,
    *,
    pad: int = 0,
    pad_value: float = 0.0,
    stride: int = 1,
    seed: int = 0,
) -> Conv2d:
    """A convolution with random binary weights."""
    window = Window((kernel, kernel), (stride, stride), (pad, pad, pad, pad))
    weights = signs(channels[1], kernel, kernel, channels[0], seed=seed)
    return Conv2d(weights, None, window, pad_value)


def dense(shape: Sequence[int], outputs: int, *, seed: int = 0) -> Dense:
    """A fully connected layer with random binary weights."""
    return Dense(signs(outputs, *shape, seed=seed), None)


def real_dense(shape: Sequence[int], outputs: int, *, seed: int = 0) -> Dense:
    return Dense(
        f32(rng(seed).normal(size=(outputs, *shape))), f32(rng(seed + 1).normal(size=outputs))
    )


def norm(channels: int, spread: float, *, seed: int = 0) -> BatchNorm:
    """Batch normalisation with gamma of both signs (and 0 in channel 1), for sums of `spread`."""
    random = rng(seed)
    gamma = random.uniform(0.5, 1.5, channels) * random.choice([-1, 1], channels)
    if channels > 1:
        gamma[1] = 0.0
    return BatchNorm(
        gamma=f32(gamma),
        beta=f32(random.normal(0, 0.5, channels)),
        mean=f32(random.normal(0, spread / 2, channels)),
        variance=f32(random.uniform(0.5, 1.5, channels) * spread**2),
        epsilon=1e-5,
    )


def pixels(graph: Graph, count: int = 16, *, seed: int = 7, dtype: DType = DType.UINT8) -> Array:
    """Random images for a graph's input."""
    limits = np.iinfo(np.dtype(dtype.numpy))
    shape = (count, *graph.tensors[graph.input].shape)
    return rng(seed).integers(limits.min, limits.max, shape, np.dtype(dtype.numpy), endpoint=True)


def real_output(graph: Graph, images: Array, options: InputOptions) -> Array:
    """What the source graph computes from pixels, in float32."""
    return evaluate_graph(attached(graph, options), images)[graph.output]


def attached(graph: Graph, options: InputOptions) -> Graph:
    return attach_input(graph, options)


def lowered_output(
    graph: Graph, images: Array, options: InputOptions, calibration: Array | None = None
) -> Array:
    """What the lowered graph computes, in real units."""
    lowered = run_passes(graph, options, calibration)
    return evaluate_graph(lowered, images)[lowered.output] * lowered.output_scale


def assert_same_scores(
    graph: Graph, options: InputOptions | None = None, *, rtol: float = 1e-5
) -> Graph:
    """The lowered graph gives the source graph's scores; returns the lowered graph."""
    chosen = options or InputOptions()
    images = pixels(graph, dtype=chosen.dtype)
    expected = real_output(graph, images, chosen)
    found = lowered_output(graph, images, chosen)
    scale = np.abs(expected).max() or 1.0
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)
    stages = lower(graph, chosen)
    check_lowering(graph, stages, chosen)
    return stages[-1][1]


def operator_names(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def has_real_steps(graph: Graph) -> bool:
    return any(isinstance(node.op, Elementwise) for node in graph.nodes)
