"""Binarizer of an integer tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct
from mcubnn.ops.device_rules import PIXELS, require_dtype, require_stage_channels, staged_type
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.structs import dims, pixel_type


@dataclass(frozen=True, eq=False)
class Threshold(DeviceOp):
    """Reads a uint8, int8 or int32 map or vector; bit = (value >= threshold) xor flip.

    Attributes:
        stage: the thresholds, one per channel and position class.
    """

    name: ClassVar[str] = "threshold"
    stage: ThresholdStage

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require_dtype(self.name, source, (*PIXELS, DType.INT32))
        require_stage_channels(self.name, source.channels, self.stage)
        return staged_type(self.name, source.shape[:-1], self.stage)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return self.stage.apply(sources[0])

    @property
    def in_place(self) -> bool:
        """If a pixel's bits, rounded up to words, are no longer than the pixel's bytes."""
        return self.stage.channels >= 4

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        (source,) = sources
        self.infer(sources)
        fields = (
            ("input", dims(source)),
            ("input_type", pixel_type(source.dtype)),
            ("output_stage", self.stage.struct()),
        )
        return KernelCall(self.name, Struct(fields))
