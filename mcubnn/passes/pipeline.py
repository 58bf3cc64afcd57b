"""The order of the passes; the graph is verified after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.graph import Graph
from mcubnn.ir.types import Array, DType
from mcubnn.ir.verify import verify
from mcubnn.passes.absorb_flatten import absorb_flatten
from mcubnn.passes.absorb_padding import absorb_padding
from mcubnn.passes.attach_input import attach_input
from mcubnn.passes.choose_polarity import choose_polarity
from mcubnn.passes.count_sign_zeros import count_sign_zeros
from mcubnn.passes.fold_constant_channels import fold_constant_channels
from mcubnn.passes.fuse_output_stage import fuse_output_stage
from mcubnn.passes.fuse_pools import fuse_pools
from mcubnn.passes.hoist_pools import hoist_pools
from mcubnn.passes.lower_layers import lower_layers
from mcubnn.passes.quantize_activations import quantize_activations
from mcubnn.passes.sink_pools import sink_pools

Pass = Callable[[Graph], Graph]


def default_pipeline(options: InputOptions, calibration: Array | None) -> tuple[Pass, ...]:
    """The passes from an imported graph to device operators, with their options bound."""
    return (
        partial(attach_input, options=options),
        absorb_padding,
        absorb_flatten,
        hoist_pools,
        partial(count_sign_zeros, calibration=calibration),
        partial(quantize_activations, calibration=calibration),
        lower_layers,
        sink_pools,
        fuse_output_stage,
        fold_constant_channels,
        partial(choose_polarity, calibration=calibration),
        fuse_pools,
    )


def pass_name(step: Pass) -> str:
    """The function's name, for dumps."""
    return step.func.__name__ if isinstance(step, partial) else step.__name__


def steps(
    graph: Graph, options: InputOptions, calibration: Array | None
) -> Iterator[tuple[str, Graph]]:
    """Run the passes one by one; yields each one's name and result."""
    for step in default_pipeline(options, calibration):
        graph = step(graph)
        verify(graph)
        yield pass_name(step), graph


def run_passes(graph: Graph, options: InputOptions, calibration: Array | None = None) -> Graph:
    """From an imported graph to device operators only.

    Raises:
        ModelError: what the passes cannot lower, with node and rule.
    """
    return lower(graph, options, calibration)[-1][1]


@np.errstate(over="ignore", invalid="ignore")  # as in the framework; passes judge the results
def lower(
    graph: Graph, options: InputOptions, calibration: Array | None = None
) -> tuple[tuple[str, Graph], ...]:
    """Every pass's name and result, the last of which holds device operators only.

    Raises:
        ModelError: what the passes cannot lower, with node and rule.
    """
    stages = tuple(steps(graph, options, calibration))
    graph = stages[-1][1]
    if graph.tensors[graph.output].dtype is not DType.INT32:
        raise ModelError(
            f"the network ends in {graph.tensors[graph.output]}; it must end in the scores of a "
            "layer",
            "remove the binarizer or pooling behind the last layer",
        )
    return stages
