"""Translations of ONNX operators that change how elements are arranged."""

from __future__ import annotations

import math

from mcubnn.frontend.layout import flattening_order, reshaped
from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.site import Site, Step
from mcubnn.ops.defs.shape import Flatten


def reshape(site: Site) -> Step:
    """Reshape, Flatten, Squeeze, Unsqueeze: to a vector, or adding or removing unit axes."""
    value, shape = site.data(), site.result_shape()
    long_axes = [size for size in shape if size > 1]
    to_vector = len(long_axes) <= 1 and (len(shape) <= 2 or len(value.named()) > 1)
    if value.is_map and to_vector:
        labels = tuple("c" if size > 1 else "" for size in shape)
        return site.relabel(value, shape, labels, Flatten(flattening_order(value)))
    view = reshaped(value, shape)
    if view is None or math.prod(shape) != math.prod(value.shape):
        raise RuleError(
            "a reshape must flatten a map or only add and remove axes of size 1",
            f"{list(value.shape)} to {list(shape)}",
            "if the export fixed a batch size, export with an example input of batch size 1",
        )
    return Step(value, (), view)


def transpose(site: Site) -> Step:
    """Transpose: moves labels, computes nothing."""
    value = site.data()
    rank = len(value.shape)
    order = site.node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise RuleError("perm must be a permutation of the axes", str(order))
    shape = tuple(value.shape[i] for i in order)
    return site.relabel(value, shape, tuple(value.labels[i] for i in order))
