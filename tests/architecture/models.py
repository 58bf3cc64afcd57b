"""Small lowered graphs that use every device operator between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mcubnn.artifacts import InputOptions
from mcubnn.ir.builder import infer_tensors
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.elementwise import Add, Clip
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import conv, dense, f32, network, norm, real_dense, rng

_POOL = MaxPool(Window((2, 2), (2, 2)))
_NORMALISED = InputOptions(scale=1 / 255, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.125))


def every_operator() -> tuple[Graph, ...]:
    """Graphs that use every device operator and every kind of output stage."""
    binary = network(
        (10, 10, 3),
        *(conv((3, 33), pad=1), norm(33, 9.0), Sign(1), MaxPool(Window((3, 3), (2, 2)))),
        *(conv((33, 16), pad=1), norm(16, 9.0), Sign(0), _POOL, dense((2, 2, 16), 10)),
    )
    real = network(
        (8, 8, 1),
        *(_real_conv(), Clip(0, np.inf), _POOL, real_dense((3, 3, 8), 20), Clip(-1, 1)),
        dense((20,), 6),
    )
    mixed = network(
        (20,),
        *(Add(f32(-100.5)), Sign(1), real_dense((20,), 40, seed=4), Sign(1)),
        real_dense((40,), 3),
    )
    hidden = network(
        (12,),
        *(dense((12,), 20), Clip(-900, 900), real_dense((20,), 9), Clip(0, np.inf)),
        dense((9,), 4),
    )
    graphs = (
        run_passes(replace(binary, name="binary"), _NORMALISED),
        run_passes(replace(mixed, name="mixed"), InputOptions()),
        run_passes(replace(real, name="real"), InputOptions()),
        run_passes(replace(hidden, name="hidden"), InputOptions()),
    )
    return tuple(graphs)


def _real_conv() -> Conv2d:
    return Conv2d(f32(rng(1).normal(size=(8, 3, 3, 1))), None, Window((3, 3)))


def renamed(graph: Graph, name: str, *, node: str = "", nodes: Sequence[str] = ()) -> Graph:
    """The same graph under another name, its nodes' names around the given ones."""
    chosen = list(nodes) or [f"{node}{i}" if node else n.name for i, n in enumerate(graph.nodes)]
    listed = [replace(n, name=new) for n, new in zip(graph.nodes, chosen, strict=True)]
    tensors = infer_tensors(graph.input, graph.tensors[graph.input], listed)
    return replace(graph, name=name, nodes=tuple(listed), tensors=tensors)
