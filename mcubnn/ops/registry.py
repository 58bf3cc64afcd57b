"""Operator classes by name; a file in `mcubnn/ops/defs/` is all it takes to be listed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from mcubnn.ir.op import Op
from mcubnn.ops import defs
from mcubnn.ops.base import DeviceOp


@cache
def operators() -> Mapping[str, type[Op]]:
    """Every operator class by its name, sorted by name."""
    found: dict[str, type[Op]] = {}
    for info in pkgutil.iter_modules(defs.__path__):
        module = importlib.import_module(f"{defs.__name__}.{info.name}")
        for operator in _operators_of(module):
            assert operator.name not in found, f"two operators are named {operator.name}"
            found[operator.name] = operator
    return MappingProxyType(dict(sorted(found.items())))


def device_operators() -> Mapping[str, type[DeviceOp]]:
    """The operators that have a kernel in runtime_c."""
    return {name: op for name, op in operators().items() if issubclass(op, DeviceOp)}


def _operators_of(module: ModuleType) -> Iterator[type[Op]]:
    for _, member in inspect.getmembers(module, inspect.isclass):
        defined_here = member.__module__ == module.__name__
        if defined_here and issubclass(member, Op) and not inspect.isabstract(member):
            yield member
