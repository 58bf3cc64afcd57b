"""Base classes of the operators that compute int32 sums and pass them through an output stage.

They share the shape rules, the reference and the order of the kernels' parameters; an operator's
own file says what its sum is and how its weights lie in flash. The bases are no dataclasses
themselves, so that each operator lists its fields completely and in the order of its C parameters.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

import numpy as np

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct, Table, Value
from mcubnn.ops.device_rules import (
    require_conv_weights,
    require_dense_weights,
    require_dtype,
    require_int32_sums,
    require_map,
    require_signs,
    require_stage_channels,
    staged_type,
)
from mcubnn.ops.exact import chunks, conv_sums, dense_sums, largest_sum
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage
from mcubnn.ops.structs import dims, window_struct


class SummingOp(DeviceOp):
    """Weighted sums of the input, then an output stage."""

    reads: ClassVar[tuple[DType, ...]]
    has_sign_weights: ClassVar[bool]
    weights: Array
    stage: OutputStage

    @property
    def binary_weights(self) -> bool:
        return self.has_sign_weights

    @property
    def factors(self) -> Array:
        """What each input element is multiplied by; an operator may scale its weights."""
        return self.weights

    def with_stage(self, stage: OutputStage) -> Self:
        """The same sums with another output stage."""
        operator: Any = self  # the fields are the subclass's
        return cast("Self", replace(operator, stage=stage))

    @abstractmethod
    def weight_table(self) -> Table:
        """The weights as they lie in flash."""

    def input_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        """Fields of the parameters between the geometry and the weights."""
        del source
        return ()

    def require_sums(self, source: TensorType) -> None:
        """The rules on weights and stage that do not depend on the geometry."""
        if self.has_sign_weights:
            require_signs(self.name, self.weights)
        require_int32_sums(self.name, self.factors, source.dtype)
        require_stage_channels(self.name, self.weights.shape[0], self.stage)

    def largest_sum(self, source: Array) -> int:
        """Bound of the partial sums' magnitude for an unpacked input array."""
        dtype = DType.BIT if DType.BIT in self.reads else DType(source.dtype.name)
        return largest_sum(self.factors, dtype)

    def tail_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        """The fields behind the geometry."""
        return (
            *self.input_params(source),
            ("weights", self.weight_table()),
            ("output_stage", self.stage.struct()),
        )


class SummingConv2d(SummingOp):
    """2-D cross-correlation of a map, group 1."""

    window: Window

    @property
    def fill(self) -> int:
        """Value of the taps outside the map."""
        return 0

    def map_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the map of sums for a source map of this size."""
        return self.window.output_size(height, width)

    def staged_map(self, source: TensorType) -> TensorType:
        """The map of sums behind the output stage; the kernels' parameters call it the output."""
        return staged_type(self.name, self.map_size(*source.shape[:2]), self.stage)

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require_map(self.name, source, self.reads)
        require_conv_weights(self.name, source, self.weights, self.window)
        self.require_sums(source)
        return self.staged_map(source)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        (maps,) = sources
        largest, factors = self.largest_sum(maps), self.factors
        out_h, out_w = self.map_size(*maps.shape[1:3])
        bytes_each = 8 * out_h * out_w * (factors[0].size + 4 * len(factors))
        parts = chunks(len(maps), bytes_each)
        sums = (conv_sums(maps[p], factors, self.window, self.fill, largest) for p in parts)
        return np.concatenate([self.stage.apply(piece[:, :out_h, :out_w]) for piece in sums])

    def macs(self, sources: Sequence[TensorType]) -> int:
        height, width = self.map_size(*sources[0].shape[:2])
        return height * width * int(self.weights.size)

    def geometry_params(self, source: TensorType) -> tuple[tuple[str, Value], ...]:
        """The first fields of the parameters of the kernels that compute this."""
        return (
            ("input", dims(source)),
            ("output", dims(self.staged_map(source))),
            ("window", window_struct(self.window)),
        )

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        (source,) = sources
        self.infer(sources)
        params = (*self.geometry_params(source), *self.tail_params(source))
        return KernelCall(self.name, Struct(params))


class SummingDense(SummingOp):
    """Matrix-vector product over all elements, a map being read in (h, w, c) order."""

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require_dtype(self.name, source, self.reads)
        require_dense_weights(self.name, source, self.weights)
        require(
            self.stage.position_class is None, f"{self.name} writes a vector: no position classes"
        )
        self.require_sums(source)
        return staged_type(self.name, (), self.stage)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        (vectors,) = sources
        largest, factors = self.largest_sum(vectors), self.factors
        parts = chunks(len(vectors), 8 * (factors[0].size + 4 * len(factors)))
        sums = (dense_sums(vectors[p], factors, largest) for p in parts)
        return np.concatenate([self.stage.apply(piece) for piece in sums])

    def macs(self, sources: Sequence[TensorType]) -> int:
        del sources
        return int(self.weights.size)

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        (source,) = sources
        self.infer(sources)
        return KernelCall(self.name, Struct((("input", dims(source)), *self.tail_params(source))))
