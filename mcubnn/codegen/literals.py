"""Constants as C text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mcubnn.ops.base import Address, Constant, Struct, Table, Value

LINE_WIDTH = 96
INDENT = "    "


def array_text(table: Table) -> str:
    """The elements of a table, comma separated, wrapped and indented."""
    literal = _FORMATS[table.c_type]
    items = [literal(int(value)) for value in np.asarray(table.values).ravel()]
    longest = max((len(item) for item in items), default=1)
    per_line = max(1, (LINE_WIDTH - len(INDENT)) // (longest + 2))
    lines = (", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line))
    return ",\n".join(INDENT + line for line in lines)


def struct_text(struct: Struct, symbol: str, depth: int = 1) -> str:
    """A designated initialiser; tables become the symbols `<symbol>_<suffix>`."""
    pad = INDENT * depth
    fields = [
        f"{pad}.{name} = {_value_text(value, symbol, depth)}" for name, value in struct.fields
    ]
    return "{\n" + ",\n".join(fields) + "\n" + INDENT * (depth - 1) + "}"


def _value_text(value: Value, symbol: str, depth: int) -> str:
    match value:
        case None:
            return "NULL"
        case Constant(identifier=identifier):
            return identifier
        case Table(suffix=suffix):
            return f"{symbol}_{suffix}"
        case Struct():
            return struct_text(value, symbol, depth + 1)
        case Address(c_type=c_type, struct=struct):
            return f"&(const {c_type})" + struct_text(struct, symbol, depth + 1)
        case int():
            return f"{value}u" if value > 0 else str(value)


def _signed(bits: int) -> int:
    return -(1 << (bits - 1))


def _int32(value: int) -> str:
    return "INT32_MIN" if value == _signed(32) else str(value)


def _int64(value: int) -> str:
    return "INT64_MIN" if value == _signed(64) else f"INT64_C({value})"


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "uint8_t": lambda v: f"{v}u",
    "int8_t": str,
    "uint16_t": lambda v: f"{v}u",
    "int16_t": str,
    "uint32_t": lambda v: f"0x{v:08x}u",
    "int32_t": _int32,
    "int64_t": _int64,
}
