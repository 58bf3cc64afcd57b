"""Convolutions that may pool the bits they write, so that the map between is never stored.

Every pixel of that map must belong to at most one pooling window: then the kernels fold it into
the output as soon as it is computed, and need no memory for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, TensorType
from mcubnn.ops.base import Address, Value
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.summing import SummingConv2d


def windows_are_disjoint(window: Window) -> bool:
    """Whether the windows of a pool neither overlap nor leave the map."""
    disjoint = all(k <= s for k, s in zip(window.kernel, window.strides, strict=True))
    return disjoint and window.dilations == (1, 1) and not window.has_padding


class PooledConv2d(SummingConv2d):
    """A convolution with a pool behind its output stage, or with none.

    With a pool, sums that no window reads are not computed, and the map of sums ends where the
    last window ends: that is also the size of `stage.position_class`.
    """

    pool: BitMaxPool | None

    def with_pool(self, pool: BitMaxPool) -> Self:
        """The same convolution with a pool behind it; it has none yet."""
        stage, position = self.stage, self.stage.position_class
        if position is not None:
            height, width = (int(pool.window.places(a, position.shape[a])[-1]) + 1 for a in (0, 1))
            stage = replace(stage, position_class=position[:height, :width])
        operator: Any = self  # the fields are the subclass's
        return cast("Self", replace(operator, stage=stage, pool=pool))

    def map_size(self, height: int, width: int) -> tuple[int, int]:
        rows, columns = self._places(height, width)
        return int(rows[-1]) + 1, int(columns[-1]) + 1

    def computed(self, source: TensorType) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of the map of sums that are computed."""
        return self._places(*source.shape[:2])

    def _places(self, height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        size = self.window.output_size(height, width)
        if self.pool is None:
            return np.arange(size[0]), np.arange(size[1])
        self.pool.window.output_size(*size)  # the windows fit, or it says so
        return self.pool.window.places(0, size[0]), self.pool.window.places(1, size[1])

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        if self.pool is None:
            return super().infer(sources)
        require(
            isinstance(self.stage, ThresholdStage) and windows_are_disjoint(self.pool.window),
            f"{self.name} pools bits, in windows without overlap, padding and dilation",
            [self.stage.dtype.value, self.pool.window],
        )
        return self.pool.infer([super().infer(sources)])

    def evaluate(self, sources: Sequence[Array]) -> Array:
        result = super().evaluate(sources)
        return result if self.pool is None else self.pool.evaluate([result])

    def macs(self, sources: Sequence[TensorType]) -> int:
        rows, columns = self.computed(sources[0])
        return len(rows) * len(columns) * int(self.weights.size)

    def geometry_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        return (*super().geometry_params(source), ("pool", self._pool_params(source)))

    def _pool_params(self, source: TensorType) -> Value:
        if self.pool is None:
            return None
        call = self.pool.kernel_call([self.staged_map(source)])
        return Address(f"mcubnn_{call.kernel}_params", call.params)
