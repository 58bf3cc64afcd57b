"""What code generation asks of an operator that runs on the device: its kernel call, as data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, TensorType


@dataclass(frozen=True, eq=False)
class Table:
    """A constant array in flash.

    Attributes:
        suffix: appended to the node's C name, for example `weights`.
        c_type: element type, for example `uint32_t`.
        values: the elements, any shape; emitted in C order.
        comment: layout and unit, printed above the array.
    """

    suffix: str
    c_type: str
    values: Array
    comment: str

    @property
    def size_bytes(self) -> int:
        """Bytes in flash."""
        return int(self.values.size) * _C_TYPE_BYTES[self.c_type]


_C_TYPE_BYTES = {
    "uint8_t": 1,
    "int8_t": 1,
    "uint16_t": 2,
    "int16_t": 2,
    "uint32_t": 4,
    "int32_t": 4,
    "int64_t": 8,
}


@dataclass(frozen=True)
class Struct:
    """A designated initialiser: field names and values, nested where the C struct is."""

    fields: tuple[tuple[str, Value], ...]

    def tables(self) -> Iterator[Table]:
        """All tables referred to, in order."""
        for _, value in self.fields:
            if isinstance(value, Table):
                yield value
            elif isinstance(value, Struct):
                yield from value.tables()
            elif isinstance(value, Address):
                yield from value.struct.tables()


@dataclass(frozen=True)
class Constant:
    """A C identifier of the runtime, such as an enumerator."""

    identifier: str


@dataclass(frozen=True)
class Address:
    """The address of a constant struct of its own: a pointer's initialiser.

    Attributes:
        c_type: of the struct.
        struct: its fields.
    """

    c_type: str
    struct: Struct


Value = int | Constant | Table | Struct | Address | None
"""A field's value; None is a null pointer."""


@dataclass(frozen=True)
class KernelCall:
    """One call of a runtime kernel.

    Attributes:
        kernel: C name without prefix: function `mcubnn_<kernel>`, parameters
            `mcubnn_<kernel>_params`, header `mcubnn/<kernel>.h`.
        params: initialiser of the parameters.
        scratch_bytes: working memory the planner must provide.
        scratch_arguments: arguments for which the header's `MCUBNN_<KERNEL>_SCRATCH_BYTES` says
            the same; the generated code asserts it.
    """

    kernel: str
    params: Struct
    scratch_bytes: int = 0
    scratch_arguments: tuple[int, ...] = ()

    @property
    def weight_bytes(self) -> int:
        """Bytes of constants in flash."""
        return sum(table.size_bytes for table in self.params.tables())


@dataclass(frozen=True, eq=False)
class DeviceOp(Op):
    """An operator with a kernel in runtime_c."""

    @abstractmethod
    def kernel_call(self, sources: Sequence[TensorType]) -> KernelCall:
        """The call that computes it on the device."""

    @property
    def operator(self) -> str:
        """Name of what it computes, whichever kernel does."""
        return self.name

    @property
    def in_place(self) -> bool:
        """Whether the kernel may write its output over its input."""
        return False

    @property
    def binary_weights(self) -> bool:
        """Whether its weights take one bit each; for the report."""
        return False
