"""An operator together with the kernel variant that will compute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mcubnn.ir.types import Array, TensorType
from mcubnn.ops.base import DeviceOp, KernelCall
from mcubnn.ops.variants.base import KernelVariant


@dataclass(frozen=True, eq=False)
class Specialized(DeviceOp):
    """Means exactly what `op` means; only the kernel call is the variant's."""

    name: ClassVar[str] = "specialized"
    op: DeviceOp
    variant: KernelVariant

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        return self.op.infer(sources)

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return self.op.evaluate(sources)

    def macs(self, sources: Sequence[TensorType]) -> int:
        return self.op.macs(sources)

    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        return self.variant.kernel_call(self.op, sources)

    @property
    def operator(self) -> str:
        return self.op.name

    @property
    def in_place(self) -> bool:
        """The portable kernels' promise does not extend to variants."""
        return False

    @property
    def binary_weights(self) -> bool:
        return self.op.binary_weights
