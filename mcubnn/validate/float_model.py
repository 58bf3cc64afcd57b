"""The classes the framework finds: the original ONNX file in onnxruntime, in floating point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcubnn.artifacts import InputLayout, InputOptions
from mcubnn.ir.types import Array

_BATCH = 128
_FATAL_ONLY = 4
_FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
_BYTES = {"tensor(uint8)": np.uint8, "tensor(int8)": np.int8}


@dataclass(frozen=True)
class FloatClasses:
    """The framework's class of each image; None if it cannot run the model.

    Attributes:
        classes: `[N]` or None.
        engine: what ran the model, or why nothing could.
    """

    classes: NDArray[np.int64] | None
    engine: str


def float_classes(path: Path, images: Array, options: InputOptions) -> FloatClasses:
    """Run an ONNX file on images of its input's layout or of NHWC.

    Args:
        path: the original model file.
        images: `[N, H, W, C]` or `[N, features]`, raw.
        options: applied unless the model takes the raw type itself.

    Returns:
        Classes, or the reason why onnxruntime cannot run this file; a model in a dialect that it
        does not know (QONNX) is no error.
    """
    import onnxruntime  # slow to import, and only this comparison needs it

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = _FATAL_ONLY
    try:
        session = onnxruntime.InferenceSession(path, quiet, providers=["CPUExecutionProvider"])
        classes = _run(session, images, options)
    except Exception as error:  # its exceptions have no common base but Exception
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        return FloatClasses(None, f"not compared: onnxruntime: {reason}")
    return FloatClasses(classes, f"onnxruntime {onnxruntime.__version__}")


def normalise(images: Array, options: InputOptions) -> NDArray[np.float32]:
    """(u * scale - mean) / std of `[N, ..., C]`, every step in float32."""
    scaled = images.astype(np.float32) * np.float32(options.scale)
    centred = scaled - np.asarray(options.mean, np.float32)
    return (centred / np.asarray(options.std, np.float32)).astype(np.float32)


def _run(session: Any, images: Array, options: InputOptions) -> NDArray[np.int64]:
    entry = session.get_inputs()[0]
    output = session.get_outputs()[0].name
    fixed_batch = entry.shape[0] if isinstance(entry.shape[0], int) else None
    batch = fixed_batch or _BATCH
    classes = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        feed = _arrange(_convert(part, entry.type, options), entry.shape[1:], options.layout)
        if fixed_batch and len(part) < fixed_batch:
            feed = np.concatenate([feed, np.repeat(feed[-1:], fixed_batch - len(part), axis=0)])
        (scores,) = session.run([output], {entry.name: feed})
        classes.append(np.argmax(scores.reshape(len(feed), -1)[: len(part)], axis=1))
    return np.concatenate(classes)


def _convert(images: Array, kind: str, options: InputOptions) -> Array:
    if kind in _BYTES and images.dtype == _BYTES[kind]:
        return images
    if kind in _FLOATS:
        return normalise(images, options).astype(_FLOATS[kind])
    message = f"the model's input is {kind}, the images are {images.dtype}"
    raise ValueError(message)


def _arrange(
    images: Array, wanted: Sequence[int | str | None], layout: InputLayout | None
) -> Array:
    """Bring NHWC images or vectors to the model's input shape; symbolic sizes fit anything."""
    if images.ndim == 4 and len(wanted) == 3:
        # ONNX images are NCHW by convention, so that order wins where both fit and nobody tells.
        orders = (0, 3, 1, 2), (0, 1, 2, 3)
        for axes in reversed(orders) if layout is InputLayout.NHWC else orders:
            moved = images.transpose(axes)
            if _fits(moved.shape[1:], wanted):
                return np.ascontiguousarray(moved)
    elif _fits(images.shape[1:], wanted):
        return images
    sizes = [d for d in wanted if isinstance(d, int)]
    is_same_count = len(sizes) == len(wanted) and math.prod(sizes) == math.prod(images.shape[1:])
    # Reshaping keeps the meaning only where there is no channel axis to move.
    if is_same_count and (images.ndim == 2 or images.shape[-1] == 1):
        return images.reshape(len(images), *sizes)
    message = f"the model's input {list(wanted)} does not fit images {list(images.shape[1:])}"
    raise ValueError(message)


def _fits(shape: tuple[int, ...], wanted: Sequence[int | str | None]) -> bool:
    return len(shape) == len(wanted) and all(
        not isinstance(w, int) or w == s for s, w in zip(shape, wanted, strict=True)
    )
