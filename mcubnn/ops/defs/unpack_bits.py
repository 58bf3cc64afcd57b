"""Bits as numbers, for real-valued layers behind a binarizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall, Struct
from mcubnn.ops.device_rules import require_dtype
from mcubnn.ops.structs import dims


@dataclass(frozen=True, eq=False)
class UnpackBits(DeviceOp):
    """Reads a bit map or vector; writes int8 values of -1 and +1."""

    name: ClassVar[str] = "unpack_bits"

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        (source,) = sources
        require_dtype(self.name, source, (DType.BIT,))
        return source.with_dtype(DType.INT8)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return sources[0].astype(np.int8)

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        (source,) = sources
        self.infer(sources)
        return KernelCall(self.name, Struct((("input", dims(source)),)))
