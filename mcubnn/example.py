"""The built-in network: digits, with its test images and input normalisation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mcubnn import resources
from mcubnn.artifacts import InputOptions
from mcubnn.ir.types import DType

NAME = "digits"


@dataclass(frozen=True)
class Example:
    """A network that comes with the package."""

    model: Path
    data: Path
    input: InputOptions


def builtin_example() -> Example:
    """The digits network."""
    folder = resources.examples_dir() / NAME
    facts = tomllib.loads((folder / "example.toml").read_text(encoding="utf-8"))
    options = InputOptions(
        dtype=DType.UINT8,
        scale=float(facts["input_scale"]),
        mean=(float(facts["input_mean"]),),
        std=(float(facts["input_std"]),),
    )
    return Example(folder / f"{NAME}.onnx", folder / "test.npz", options)
