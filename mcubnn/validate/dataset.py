"""Reading a labelled data set from an npz file that nobody vouches for.

Sizes are read from the array headers inside the archive and checked before anything is allocated;
pickled objects are never loaded; only as many images are unpacked as are wanted.
"""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from mcubnn.artifacts import DataSet, InputLayout
from mcubnn.errors import UsageError
from mcubnn.ir.types import Array, TensorType

IMAGE_KEYS = ("images", "x", "x_test", "data")
LABEL_KEYS = ("labels", "y", "y_test", "targets")
MAX_ARRAY_BYTES = 1 << 31

_LAYOUTS = "[N, H, W, C], [N, C, H, W], [N, H, W] for one channel, or [N, features]"
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError),  # unknown compression, encrypted member
    *(tokenize.TokenError, TypeError, MemoryError),  # numpy's parser of a malicious array header
)


@dataclass(frozen=True)
class _Header:
    """Shape and type of an array in the archive."""

    key: str
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[np.generic]


def load_dataset(
    path: Path,
    input_type: TensorType,
    limit: int | None = None,
    *,
    outputs: int,
    layout: InputLayout | None = None,
) -> DataSet:
    """Read images in the model's layout and type, and labels if there are any.

    Args:
        path: npz file with `images` (or `x`, `x_test`, `data`) and perhaps `labels` (or `y`,
            `y_test`, `targets`).
        input_type: of the model's input; the images must have exactly its element type.
        limit: read only this many images; None for all.
        outputs: number of the model's scores; labels are 0..outputs-1.
        layout: of the images where their sizes cannot tell: height, width and channels are equal.

    Raises:
        UsageError: the file cannot be read or does not fit the model.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"--limit: expected at least 1, found {limit}")
    if path.exists() and not path.is_file():  # reading a pipe or a device may never end
        raise UsageError(f"data set {path}: not a regular file", "give an npz file")
    try:
        with zipfile.ZipFile(path) as archive:
            stored, total = _read_images(archive, path, input_type, limit)
            images = _to_layout(path, stored, input_type.shape, layout)
            labels = _read_labels(archive, path, total, len(images))
    except FileNotFoundError as error:
        raise UsageError(f"data set {path} does not exist") from error
    except _DAMAGE as error:
        raise UsageError(
            f"data set {path} cannot be read: {error}",
            "write it with numpy.savez_compressed(path, images=..., labels=...)",
        ) from error
    if labels is not None:
        _check_labels(path, labels, outputs)
    return DataSet(images, labels, path.name)


def _read_images(
    archive: zipfile.ZipFile, path: Path, input_type: TensorType, limit: int | None
) -> tuple[Array, int]:
    """The first images in the file's layout, and how many the file has."""
    key = _find_key(archive, IMAGE_KEYS)
    if key is None:
        names = ", ".join(sorted(archive.namelist())[:8]) or "nothing"
        raise UsageError(
            f"data set {path}: expected an array named {' or '.join(IMAGE_KEYS)}; found {names}",
            "write it with numpy.savez_compressed(path, images=..., labels=...)",
        )
    with archive.open(f"{key}.npy") as stream:
        header = _read_header(stream, key)
        _check_images(path, header, input_type)
        count = header.shape[0] if limit is None else min(limit, header.shape[0])
        return _read_array(stream, header, count), header.shape[0]


def _read_labels(
    archive: zipfile.ZipFile, path: Path, total: int, count: int
) -> NDArray[np.int64] | None:
    key = _find_key(archive, LABEL_KEYS)
    if key is None:
        return None
    with archive.open(f"{key}.npy") as stream:
        header = _read_header(stream, key)
        if header.dtype.kind not in "iu" or header.shape not in {(total,), (total, 1)}:
            raise UsageError(
                f"data set {path}: {key}: expected {total} integers, one per image; "
                f"found {header.dtype} {list(header.shape)}",
                _label_advice(header, total),
            )
        return _read_array(stream, header, count).reshape(count).astype(np.int64)


def _label_advice(header: _Header, total: int) -> str:
    if len(header.shape) == 2 and header.shape[0] == total:
        return "store class numbers; for one-hot labels: labels.argmax(axis=1)"
    if header.shape in {(total,), (total, 1)} and header.dtype.kind in "fb":
        return "store class numbers: labels.astype(int)"
    return "store one class number per image, in the images' order"


def _find_key(archive: zipfile.ZipFile, keys: tuple[str, ...]) -> str | None:
    names = set(archive.namelist())
    return next((key for key in keys if f"{key}.npy" in names), None)


def _read_header(stream: IO[bytes], key: str) -> _Header:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(stream)
    if version not in readers:
        message = f"{key}: npy format version {version} is not supported"
        raise ValueError(message)
    with warnings.catch_warnings():
        # Numpy warns of headers that Python 2 may have written; what they say is checked anyway.
        warnings.simplefilter("ignore", UserWarning)
        shape, is_fortran, dtype = readers[version](stream)
    if dtype.hasobject or any(d < 0 for d in shape):
        message = f"{key}: expected numbers, found {dtype} {list(shape)}"
        raise ValueError(message)
    return _Header(key, shape, is_fortran, dtype)


def _read_array(stream: IO[bytes], header: _Header, count: int) -> Array:
    """The first `count` entries of the array whose data follows in the stream."""
    # Column order scatters every image over the whole array: all of it has to be read.
    entries = header.shape[0] if header.is_fortran else count
    shape = (entries, *header.shape[1:])
    size_bytes = math.prod(shape) * header.dtype.itemsize
    if size_bytes > MAX_ARRAY_BYTES:
        message = f"{header.key}: {size_bytes} bytes exceed the limit of {MAX_ARRAY_BYTES}"
        raise ValueError(message)
    data = stream.read(size_bytes)
    if len(data) != size_bytes:
        message = f"{header.key}: truncated: expected {size_bytes} bytes, found {len(data)}"
        raise ValueError(message)
    flat = np.frombuffer(data, header.dtype)
    array = flat.reshape(shape[::-1]).T if header.is_fortran else flat.reshape(shape)
    return array[:count]


def _check_images(path: Path, header: _Header, input_type: TensorType) -> None:
    where = f"data set {path}: {header.key}"
    found = f"found {header.dtype.name} {list(header.shape)}"
    expected = input_type.dtype.value
    if header.dtype != input_type.dtype.numpy:
        raise UsageError(f"{where}: expected {expected}; {found}", _dtype_advice(header, expected))
    if not header.shape or not header.shape[0]:
        raise UsageError(f"{where}: {found}, which holds no image")
    if _transposition(header.shape[1:], input_type.shape) is None:
        wanted = ", ".join(str(d) for d in input_type.shape)
        raise UsageError(
            f"{where}: the model reads {expected} [N, {wanted}]; {found}",
            f"possible layouts: {_LAYOUTS}; resize or crop the images to the model's input",
        )


def _dtype_advice(header: _Header, expected: str) -> str:
    if header.dtype.kind == "f":
        return (
            f"store the raw pixels as {expected}: undo the normalisation, then "
            f"numpy.rint(images).astype('{expected}'); the compiler applies the normalisation "
            "given by --input-scale, --mean and --std itself"
        )
    advice = f"check that all values fit, then images.astype('{expected}')"
    if header.dtype.kind == "i" and expected == "uint8":
        return f"{advice}; for signed pixels compile the model with --input-type int8"
    return advice


def _transposition(found: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """Axes that bring a stored image to the model's order after reshaping; None if none does.

    An empty result means that reshaping is enough.
    """
    if found == wanted:
        return ()
    if len(found) == len(wanted) == 3:
        height, width, channels = wanted
        return (0, 2, 3, 1) if found == (channels, height, width) else None
    # With one channel the order of the values is the same in every layout.
    has_one_channel = 1 in (*found[2:], *wanted[2:]) or max(len(found), len(wanted)) == 2
    return () if has_one_channel and math.prod(found) == math.prod(wanted) else None


def _to_layout(
    path: Path, images: Array, wanted: tuple[int, ...], layout: InputLayout | None
) -> Array:
    axes = _transposition(images.shape[1:], wanted)
    if len(set(wanted)) == 1 < wanted[0] and images.shape[1:] == wanted and len(wanted) == 3:
        if layout is None:
            raise UsageError(
                f"data set {path}: images of {list(wanted)} can be [H, W, C] or [C, H, W]",
                "compile the model with --input-layout nhwc or nchw, the layout of both",
            )
        axes = (0, 2, 3, 1) if layout is InputLayout.NCHW else ()
    ordered = images.transpose(axes) if axes else images.reshape(len(images), *wanted)
    return np.ascontiguousarray(ordered)


def _check_labels(path: Path, labels: NDArray[np.int64], outputs: int) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= outputs))
    if len(wrong):
        first = wrong[0]
        raise UsageError(
            f"data set {path}: labels: the model has classes 0..{outputs - 1}; "
            f"found {labels[first]} for image {first} ({len(wrong)} labels are out of range)",
            "number the classes from 0, in the order of the model's outputs",
        )
