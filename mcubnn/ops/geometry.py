"""Window arithmetic shared by convolution and pooling operators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import Array


@dataclass(frozen=True)
class Window:
    """A sliding window over the height and width of a feature map.

    Attributes:
        kernel: height and width of the window, in taps.
        strides: step down and right.
        pads: rows and columns added at the top, left, bottom and right.
        dilations: distance between taps, down and right.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilations: tuple[int, int] = (1, 1)

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns from the first to the last tap, both included."""
        return (
            self.dilations[0] * (self.kernel[0] - 1) + 1,
            self.dilations[1] * (self.kernel[1] - 1) + 1,
        )

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output map; the ONNX floor rule.

        Raises:
            TypeRuleError: the window is larger than the padded map.
        """
        top, left, bottom, right = self.pads
        room_h = height + top + bottom - self.span[0]
        room_w = width + left + right - self.span[1]
        require(
            room_h >= 0 and room_w >= 0,
            "the window must fit into the padded map",
            [f"map {height}x{width}", f"window {self.span[0]}x{self.span[1]}", f"pads {self.pads}"],
        )
        return room_h // self.strides[0] + 1, room_w // self.strides[1] + 1

    def places(self, axis: int, size: int) -> NDArray[np.int64]:
        """Rows (axis 0) or columns (1) of a map of `size` that windows without padding read."""
        outputs = (size - self.span[axis]) // self.strides[axis] + 1
        starts = np.arange(outputs) * self.strides[axis]
        taps = np.arange(self.kernel[axis]) * self.dilations[axis]
        return np.unique(starts[:, None] + taps)

    @property
    def has_padding(self) -> bool:
        """Whether any window may reach outside the map."""
        return any(self.pads)


def windows(maps: Array, window: Window, fill: float) -> Array:
    """All windows of NHWC maps: `[N, out_h, out_w, kernel_h, kernel_w, C]`, a view where possible.

    Args:
        maps: `[N, H, W, C]`.
        window: the geometry.
        fill: value of the taps outside the map.
    """
    top, left, bottom, right = window.pads
    padded = np.pad(
        maps, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=maps.dtype.type(fill)
    )
    out_h, out_w = window.output_size(maps.shape[1], maps.shape[2])
    n, c = maps.shape[0], maps.shape[3]
    sn, sh, sw, sc = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (n, out_h, out_w, *window.kernel, c),
        (
            sn,
            sh * window.strides[0],
            sw * window.strides[1],
            sh * window.dilations[0],
            sw * window.dilations[1],
            sc,
        ),
        writeable=False,
    )
