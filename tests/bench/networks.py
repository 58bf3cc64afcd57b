"""Whole networks: the examples, and one that is not part of the project."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcubnn.artifacts import InputOptions
from mcubnn.ir.types import Array, DType

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Network:
    """A trained network and images to run it on.

    Attributes:
        data: npz with `images`.
        to_pixels: from the file's images to the pixels the device receives, NHWC.
        images: how many of them.
    """

    case: str
    model: Path
    data: Path
    options: InputOptions
    to_pixels: Callable[[Array], Array]
    images: int

    @property
    def why_not(self) -> str:
        """Why it cannot be measured here; empty if it can."""
        missing = [path.name for path in (self.model, self.data) if not path.is_file()]
        return f"not here: {', '.join(missing)}" if missing else ""

    def pixels(self) -> Array:
        """`[N, H, W, C]` pixels."""
        with np.load(self.data) as arrays:
            found = np.asarray(arrays["images"][: self.images])
        maps = found if found.ndim == 4 else found[..., None]
        return np.ascontiguousarray(self.to_pixels(maps))


def networks() -> tuple[Network, ...]:
    """All whole networks, whether or not their files are here."""
    return (
        _example("digits", ROOT / "examples" / "digits" / "test.npz"),
        _example("fashion_cnn", SHARED / "data" / "fashion-mnist" / "test.npz"),
        Network(
            case="cnv_w1a1",
            model=SHARED / "models" / "cnv_w1a1_cifar10.onnx",
            data=SHARED / "data" / "cifar10" / "test.npz",
            options=InputOptions(dtype=DType.INT8),
            to_pixels=_signed_pixels,
            images=10,
        ),
    )


def _example(name: str, data: Path) -> Network:
    folder = ROOT / "examples" / name
    facts = tomllib.loads((folder / "example.toml").read_text(encoding="utf-8"))
    options = InputOptions(
        DType.UINT8, facts["input_scale"], (facts["input_mean"],), (facts["input_std"],)
    )
    return Network(name, folder / f"{name}.onnx", data, options, _unchanged, images=20)


def _unchanged(images: Array) -> Array:
    return images


def _signed_pixels(images: Array) -> Array:
    """The eight bits that cnv was trained on, -1..1 in steps of 1/128."""
    scaled = np.floor((2 * images.astype(np.float64) / 255 - 1) * 128 + 0.5)
    return np.clip(scaled, -128, 127).astype(np.int8)
