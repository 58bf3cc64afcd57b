"""Plain arithmetic, one tap at a time, that the operators' references are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mcubnn.ir.types import Array
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ScoreStage

WINDOWS = (
    Window((1, 1)),
    Window((3, 3), pads=(1, 1, 1, 1)),
    Window((3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    Window((2, 3), strides=(1, 2), pads=(0, 2, 1, 0)),
    Window((3, 2), dilations=(2, 3), pads=(2, 1, 3, 2)),
    Window((2, 2), strides=(3, 3)),
)
CHANNELS = (1, 31, 32, 33, 64)


def positions(
    maps: Array, window: Window
) -> Iterator[tuple[int, int, list[tuple[int, int, int, int]]]]:
    """Each output position with its taps as (kernel row, kernel column, map row, map column)."""
    out_h, out_w = window.output_size(maps.shape[1], maps.shape[2])
    for y in range(out_h):
        for x in range(out_w):
            taps = [
                (
                    row,
                    column,
                    y * window.strides[0] - window.pads[0] + row * window.dilations[0],
                    x * window.strides[1] - window.pads[1] + column * window.dilations[1],
                )
                for row in range(window.kernel[0])
                for column in range(window.kernel[1])
            ]
            yield y, x, taps


def is_inside(maps: Array, row: int, column: int) -> bool:
    return 0 <= row < maps.shape[1] and 0 <= column < maps.shape[2]


def conv(maps: Array, weights: Array, window: Window, pad_value: float = 0.0) -> Array:
    """Cross-correlation in float64, `[N, out_h, out_w, C_out]`."""
    out_h, out_w = window.output_size(maps.shape[1], maps.shape[2])
    result = np.zeros((len(maps), out_h, out_w, len(weights)))
    for y, x, taps in positions(maps, window):
        for row, column, map_row, map_column in taps:
            pixel = np.full((len(maps), maps.shape[3]), pad_value)
            if is_inside(maps, map_row, map_column):
                pixel = maps[:, map_row, map_column].astype(np.float64)
            for output, weight in enumerate(weights[:, row, column]):
                result[:, y, x, output] += (pixel * weight).sum(axis=1)
    return result


def pool(maps: Array, window: Window, reduce: Callable[..., Array]) -> Array:
    """np.maximum.reduce or np.minimum.reduce over each window's pixels inside the map."""
    out_h, out_w = window.output_size(maps.shape[1], maps.shape[2])
    result = np.zeros((len(maps), out_h, out_w, maps.shape[3]), maps.dtype)
    for y, x, taps in positions(maps, window):
        pixels = [maps[:, r, c] for _, _, r, c in taps if is_inside(maps, r, c)]
        result[:, y, x] = reduce(pixels)
    return result


def plain_sums(channels: int) -> ScoreStage:
    """A stage that hands the sums out unchanged."""
    return ScoreStage(None, np.ones(channels, np.int32), np.zeros((1, channels), np.int32))


def random_signs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice(np.array([-1, 1], np.int8), shape)
