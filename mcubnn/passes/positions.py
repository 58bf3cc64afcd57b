"""Constants that differ by position: which pixels share the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import ModelError
from mcubnn.ir.graph import Node
from mcubnn.ops.defs.elementwise import Elementwise, Floats

MAX_CLASSES = 256
"""Position classes are stored as uint8."""


@dataclass(frozen=True)
class Positions:
    """Elementwise steps with their position-dependent constants split into classes.

    Attributes:
        steps: constants broadcast against `[classes, C]`.
        classes: number of classes.
        of_pixel: `[H, W]` uint8, class of each pixel; None if there is one class.
    """

    steps: tuple[Elementwise, ...]
    classes: int
    of_pixel: NDArray[np.uint8] | None


def split_positions(nodes: Sequence[Node], shape: tuple[int, ...]) -> Positions:
    """Group the pixels of a map of `shape` by the constants that apply to them.

    Raises:
        ModelError: more than 256 groups.
    """
    ops = [node.op for node in nodes if isinstance(node.op, Elementwise)]
    varying = [c for op in ops for c in op.constants() if c.ndim == 3 and max(c.shape[:2]) > 1]
    if not varying:
        return Positions(tuple(op.map_constants(_row(None)) for op in ops), 1, None)
    pixels = np.concatenate(
        [np.broadcast_to(c, shape).reshape(shape[0] * shape[1], -1) for c in varying], axis=1
    )
    _, first, inverse = np.unique(pixels, axis=0, return_index=True, return_inverse=True)
    if len(first) > MAX_CLASSES:
        raise ModelError(
            f"node {nodes[0].name} ({nodes[0].op.name}): constants take {len(first)} different "
            f"values over the positions of a {shape} map; at most {MAX_CLASSES} are supported",
            "use per-channel constants",
        )
    of_pixel = inverse.reshape(shape[:2]).astype(np.uint8)
    rows = np.stack(np.unravel_index(first, shape[:2]), axis=1)
    select = _row(rows, shape)
    return Positions(tuple(op.map_constants(select) for op in ops), len(first), of_pixel)


def _row(rows: NDArray[np.intp] | None, shape: tuple[int, ...] = ()) -> Callable[[Floats], Floats]:
    """Takes a constant's values at the given pixels of a map of `shape`; a row for each."""

    def select(constant: Floats) -> Floats:
        if constant.ndim < 3:
            return constant
        if rows is None or max(constant.shape[:2]) == 1:
            return constant.reshape(-1, constant.shape[-1])[:1]
        spread = np.broadcast_to(constant, (*shape[:2], constant.shape[-1]))
        return spread[rows[:, 0], rows[:, 1]]

    return select
