from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcubnn.ops.registry import device_operators, operators

RUNTIME = Path(__file__).resolve().parents[3] / "runtime_c"


def test_registry_lists_source_and_device_operators() -> None:
    assert {"conv2d", "sign", "binary_conv2d", "unpack_bits"} <= set(operators())
    assert "conv2d" not in device_operators()


@pytest.mark.parametrize("name", sorted(operators()))
def test_operator_is_documented_and_frozen(name: str) -> None:
    operator = operators()[name]
    assert operator.__doc__
    assert "__dataclass_params__" in vars(operator), "missing @dataclass"
    assert not any(f.name == "name" for f in dataclasses.fields(operator))


@pytest.mark.parametrize("name", sorted(device_operators()))
def test_device_operator_has_its_files(name: str) -> None:
    assert device_operators()[name].__module__ == f"mcubnn.ops.defs.{name}"
    assert (RUNTIME / "src" / f"{name}.c").is_file()
    assert (RUNTIME / "include" / "mcubnn" / f"{name}.h").is_file()
    assert f'"mcubnn/{name}.h"' in (RUNTIME / "include" / "mcubnn" / "mcubnn.h").read_text()
