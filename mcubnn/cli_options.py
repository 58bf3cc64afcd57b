"""Command-line options that several commands share, and how their text is read."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from mcubnn.artifacts import InputLayout, InputOptions
from mcubnn.board import list_boards
from mcubnn.cli_groups import Group
from mcubnn.errors import UsageError
from mcubnn.ir.types import DType
from mcubnn.pipeline import Budget, Goal, SelectionOptions


class PixelType(StrEnum):
    """Type of the pixels the device receives."""

    UINT8 = "uint8"
    INT8 = "int8"


def complete_board(incomplete: str) -> list[str]:
    """Board ids for shell completion."""
    return [board.id for board in list_boards() if board.id.startswith(incomplete)]


Target = Annotated[
    Path | None,
    typer.Argument(
        help="A model file, or a folder written by `mcubnn build`. "
        "[default: the latest build in ./build, else the built-in digits network]"
    ),
]
Model = Annotated[
    Path | None, typer.Argument(help="An ONNX file. [default: the built-in digits network]")
]
BoardId = Annotated[
    str | None,
    typer.Option(
        "--board", "-b", help="Board id; see `mcubnn boards`.", autocompletion=complete_board
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Build folder. [default: build/MODEL-BOARD]")
]
Pixels = Annotated[
    PixelType | None, typer.Option("--input-type", help="Pixels the device receives. [uint8]")
]
Scale = Annotated[
    str | None,
    typer.Option("--input-scale", help="x = (pixel * SCALE - MEAN) / STD; a number or 1/255."),
]
Mean = Annotated[
    str | None, typer.Option("--mean", help="One value, or one per channel: 0.49,0.48,0.45.")
]
Std = Annotated[str | None, typer.Option("--std", help="One value, or one per channel.")]
Layout = Annotated[
    InputLayout | None,
    typer.Option(
        "--input-layout", help="Axes of the model's input, where no layer tells. [by its sizes]"
    ),
]
Calibrate = Annotated[
    Path | None,
    typer.Option(help="npz of typical images, for real-valued activations inside the network."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", "-d", help="npz with `images` and `labels`. [default for digits: its test set]"
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N images.")]
ProfileLimit = Annotated[int, typer.Option("--limit", min=1, help="Only the first N images.")]
Port = Annotated[str | None, typer.Option(help="Serial port or URL of a board.")]
Optimize = Annotated[Goal, typer.Option(help="What the choice of kernels optimises.")]
Kernels = Annotated[
    list[str] | None,
    typer.Option("--kernel", help="Force a kernel: NODE=VARIANT; may be given several times."),
]
ConstantTime = Annotated[
    bool,
    typer.Option("--constant-time", help="Only kernels whose time does not depend on the data."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def _input_options(
    *,
    input_type: Pixels = None,
    input_layout: Layout = None,
    input_scale: Scale = None,
    mean: Mean = None,
    std: Std = None,
) -> InputOptions | None:
    """The user's normalisation; None if no option was given.

    Raises:
        UsageError: a value is no number.
    """
    if all(option is None for option in (input_type, input_layout, input_scale, mean, std)):
        return None
    return InputOptions(
        dtype=DType(input_type or PixelType.UINT8),
        scale=_number("--input-scale", input_scale or "1"),
        mean=_numbers("--mean", mean or "0"),
        std=_numbers("--std", std or "1"),
        layout=input_layout,
    )


def _selection(
    *, optimize: Optimize = Goal.SPEED, kernel: Kernels = None, constant_time: ConstantTime = False
) -> SelectionOptions:
    """How kernels are chosen.

    Raises:
        UsageError: an override is not NODE=VARIANT.
    """
    pairs = []
    for text in kernel or []:
        node, equals, variant = text.rpartition("=")
        if not (node and equals and variant):
            raise UsageError(f"--kernel {text}: expected NODE=VARIANT", "--kernel conv1=portable")
        pairs.append((node, variant))
    return SelectionOptions(optimize, tuple(pairs), constant_time)


Input = Annotated[InputOptions | None, Group(_input_options)]
Selection = Annotated[SelectionOptions, Group(_selection)]


def _numbers(option: str, text: str) -> tuple[float, ...]:
    return tuple(_number(option, part) for part in text.split(","))


def _number(option: str, text: str) -> float:
    """A decimal number or a fraction such as 1/127.5."""
    parts = text.split("/")
    try:
        values = [_exact(part.strip()) for part in parts]
        if len(values) > 2:
            raise ValueError
        return float(values[0] / values[1]) if len(values) == 2 else float(values[0])
    except (ValueError, ZeroDivisionError, OverflowError):
        raise UsageError(
            f"{option}: {text!r} is not a number", "write 0.5, 1/255 or a list such as 0.5,0.4,0.4"
        ) from None


def _exact(text: str) -> Fraction:
    """The value of a decimal number; 0 where it is too small for a float."""
    # `Fraction` writes an exponent out, so one that no float has must not reach it.
    rounded = float(text)
    if not math.isfinite(rounded):
        raise ValueError
    return Fraction(text) if rounded else Fraction(0)


_UNITS = {"": 1, "B": 1, "K": 1 << 10, "KIB": 1 << 10, "M": 1 << 20, "MIB": 1 << 20}


def parse_budget(text: str | None) -> Budget:
    """`flash=512K,ram=64K`.

    Raises:
        UsageError: the text is anything else.
    """
    limits: dict[str, int] = {}
    for part in (text or "").split(",") if text else ():
        match = re.fullmatch(r"\s*(flash|ram)\s*=\s*(\d{1,12})\s*([A-Za-z]*)\s*", part)
        if match is None or match[3].upper() not in _UNITS or match[1] in limits:
            raise UsageError(
                f"--budget {text}: cannot read {part!r}", "write --budget flash=512K,ram=64K"
            )
        limits[match[1]] = int(match[2]) * _UNITS[match[3].upper()]
    return Budget(limits.get("flash"), limits.get("ram"))
