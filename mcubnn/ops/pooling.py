"""What the pooling operators share: shape rules, reference and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table, Value
from mcubnn.ops.device_rules import require_map, require_window
from mcubnn.ops.geometry import Window, windows
from mcubnn.ops.packing import pack_flags
from mcubnn.ops.structs import dims, window_struct


class ExtremumPool(DeviceOp):
    """Maximum over each window, minimum in the channels marked so.

    While a graph is lowered the marks may also differ by position, `[out_h, out_w, C]`; a kernel
    reads one per channel. No dataclass itself, for the reason given in summing.py.
    """

    reads: ClassVar[tuple[DType, ...]]
    window: Window
    minimum: NDArray[np.bool_]

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require_map(self.name, source, self.reads)
        require_window(self.name, self.window)
        height, width = source.shape[:2]
        out_h, out_w = self.window.output_size(height, width)
        require(
            self.minimum.shape in ((source.channels,), (out_h, out_w, source.channels)),
            f"{self.name} needs one minimum flag per channel or per element of its result",
            [source, f"flags {self.minimum.shape}"],
        )
        require(
            _every_window_meets_the_map(self.window, 0, out_h, height)
            and _every_window_meets_the_map(self.window, 1, out_w, width),
            f"every window of {self.name} must contain a pixel of the map",
            [source, self.window],
        )
        return TensorType((out_h, out_w, source.channels), source.dtype)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        (maps,) = sources
        limits = np.iinfo(maps.dtype)
        highest = windows(maps, self.window, limits.min).max(axis=(3, 4))
        if not self.minimum.any():
            return highest
        lowest = windows(maps, self.window, limits.max).min(axis=(3, 4))
        return np.where(self.minimum, lowest, highest)

    @property
    def in_place(self) -> bool:
        """Pixel by pixel, if no window starts before the pixel it is written to."""
        return self.window.pads[:2] == (0, 0)

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        """Fields of the parameters between the geometry and the flags."""
        del source
        return ()

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        (source,) = sources
        require(
            self.minimum.ndim == 1,
            f"{self.name}'s kernel needs one minimum flag per channel",
            [source, f"flags {self.minimum.shape}"],
        )
        flags = None
        if self.minimum.any():
            flags = Table("minimum", "uint32_t", pack_flags(self.minimum), "bit per channel")
        fields: tuple[tuple[str, Value], ...] = (
            ("input", dims(source)),
            ("output", dims(self.infer(sources))),
            ("window", window_struct(self.window)),
            *self.input_params(source),
            ("minimum", flags),
        )
        return KernelCall(self.name, Struct(fields))


def _every_window_meets_the_map(window: Window, axis: int, outputs: int, size: int) -> bool:
    starts = np.arange(outputs) * window.strides[axis] - window.pads[axis]
    taps = starts[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
    return bool(((taps >= 0) & (taps < size)).any(axis=1).all())
