"""Constant tensors of an ONNX file as numpy arrays; sizes are checked before anything is allocated.

A tensor's data may lie in another file. That file must be inside the model's folder: a model is
untrusted input and must not make the compiler read anything else.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from mcubnn.errors import ModelError
from mcubnn.frontend.problems import printable
from mcubnn.ir.types import Array

MAX_CONSTANT_BYTES = 1 << 30
"""Bound on the sum of all constants, folded ones included."""

_DTYPES: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype("<f4"),
    TensorProto.DOUBLE: np.dtype("<f8"),
    TensorProto.FLOAT16: np.dtype("<f2"),
    TensorProto.INT8: np.dtype("<i1"),
    TensorProto.INT16: np.dtype("<i2"),
    TensorProto.INT32: np.dtype("<i4"),
    TensorProto.INT64: np.dtype("<i8"),
    TensorProto.UINT8: np.dtype("<u1"),
    TensorProto.UINT16: np.dtype("<u2"),
    TensorProto.UINT32: np.dtype("<u4"),
    TensorProto.UINT64: np.dtype("<u8"),
    TensorProto.BOOL: np.dtype("?"),
}
_MAX_RANK = 16


def element_type_name(element_type: int) -> str:
    """The ONNX name of an element type, for messages."""
    names = {v: k for k, v in TensorProto.DataType.items()}
    return names.get(element_type, f"number {element_type}")


def is_numeric_type(element_type: int) -> bool:
    """Whether constants of this element type can be read."""
    return element_type in _DTYPES


class TensorReader:
    """Reads the tensors of one model file and keeps count of their bytes.

    Args:
        file: the model file; external data is looked for in its folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_bytes = 0

    def read(self, tensor: onnx.TensorProto) -> Array:
        """The tensor's values.

        Raises:
            ModelError: unsupported type, data that does not match the shape, too large, or external
                data outside the model's folder.
        """
        dtype = _DTYPES.get(tensor.data_type)
        if dtype is None:
            raise self._error(
                tensor, f"its element type {element_type_name(tensor.data_type)} is not supported"
            )
        shape = tuple(tensor.dims)
        if len(shape) > _MAX_RANK or any(d < 0 for d in shape):
            raise self._error(tensor, f"its shape {printable(str(shape))} is invalid")
        size_bytes = math.prod(shape) * dtype.itemsize
        self._read_bytes += size_bytes
        if self._read_bytes > MAX_CONSTANT_BYTES:
            limit = MAX_CONSTANT_BYTES >> 20
            raise self._error(tensor, f"with it the constants exceed {limit} MiB")
        if tensor.data_location == TensorProto.EXTERNAL:
            data = self._external_bytes(tensor, size_bytes)
            return np.frombuffer(data, dtype).reshape(shape)
        return self._embedded(tensor, shape, size_bytes)

    def _embedded(self, tensor: onnx.TensorProto, shape: tuple[int, ...], size_bytes: int) -> Array:
        if tensor.HasField("raw_data") and len(tensor.raw_data) != size_bytes:
            raise self._error(
                tensor,
                f"shape {shape} needs {size_bytes} bytes, the file has {len(tensor.raw_data)}",
            )
        try:
            array = np.asarray(numpy_helper.to_array(tensor))
        except (ValueError, TypeError, OverflowError) as error:
            raise self._error(tensor, f"its values do not match shape {shape}") from error
        if array.shape != shape:
            raise self._error(tensor, f"its values do not match shape {shape}")
        return array

    def _external_bytes(self, tensor: onnx.TensorProto, size_bytes: int) -> bytes:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = self._contained_path(tensor, entries.get("location", ""))
        offset = self._count(tensor, "offset", entries.get("offset", "0"))
        length = self._count(tensor, "length", entries.get("length", str(size_bytes)))
        try:
            available = path.stat().st_size
            if length != size_bytes or offset + length > available:
                raise self._error(
                    tensor,
                    f"it needs {size_bytes} bytes; the model names bytes {offset} to "
                    f"{offset + length} of {path.name}, which has {available}",
                )
            with path.open("rb") as stream:
                stream.seek(offset)
                data = stream.read(length)
        except OSError as error:
            raise self._error(
                tensor,
                f"its data file {printable(path.name)} cannot be read: {error.strerror}",
                "copy the .data file along with the .onnx file",
            ) from error
        if len(data) != length:
            raise self._error(tensor, f"its data file {path.name} ended early")
        return data

    def _contained_path(self, tensor: onnx.TensorProto, location: str) -> Path:
        """The data file, resolved; it must be a regular file within the model's folder."""
        forms = PurePosixPath(location), PureWindowsPath(location)
        outside = any(form.is_absolute() or form.anchor or ".." in form.parts for form in forms)
        if not location or "\0" in location or outside:
            raise self._outside(tensor, location)
        folder = self._file.parent.resolve()
        try:
            path = (folder / location).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: symlink loop
            raise self._outside(tensor, location) from error
        if not path.is_relative_to(folder) or (path.exists() and not path.is_file()):
            raise self._outside(tensor, location)
        return path

    def _outside(self, tensor: onnx.TensorProto, location: str) -> ModelError:
        return self._error(
            tensor,
            f"its data file {printable(repr(location))} is not a file inside the model's folder",
            "keep the data file next to the model, or export to a single file",
        )

    def _count(self, tensor: onnx.TensorProto, key: str, text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise self._error(tensor, f"external data {key} {printable(repr(text))} is invalid")
        return int(text)

    def _error(self, tensor: onnx.TensorProto, what: str, hint: str = "") -> ModelError:
        name = printable(tensor.name or "(unnamed)")
        return ModelError(f"{self._file.name}: tensor {name}: {what}", hint)
