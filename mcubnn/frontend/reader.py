"""Reads an ONNX file into a `RawGraph`; files are untrusted, so everything used later is checked.

Nothing of the file is executed, and onnx's own loading of external data is not used, since it
trusts sizes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]  # no stubs
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]  # no stubs
from onnx import AttributeProto, TensorProto

from mcubnn.errors import ModelError
from mcubnn.frontend.file_kind import reject_other_kinds
from mcubnn.frontend.functions import inline_functions
from mcubnn.frontend.problems import printable
from mcubnn.frontend.raw import Attribute, RawGraph, RawNode, Shape, Unreadable
from mcubnn.frontend.tensors import TensorReader, element_type_name, is_numeric_type
from mcubnn.ir.types import Array

_MIN_OPSET = 7  # from here on, binary operators broadcast as numpy does
_MIN_IR_VERSION = 3
_MAX_FILE_BYTES = 1 << 30
_MAX_NODES = 100_000
_REEXPORT = "export the model again with opset_version=20"


def read_onnx(path: Path) -> RawGraph:
    """Read and check a model file.

    Raises:
        ModelError: not a readable ONNX model with one input and one output of static shape.
    """
    model = _parse(path, _file_bytes(path))
    opset = _opset(path.name, model)
    model = inline_functions(path.name, model)
    if not model.graph.node:
        raise ModelError(f"{path.name}: the model has no nodes", "export the network again")
    if len(model.graph.node) > _MAX_NODES:
        raise ModelError(f"{path.name}: {len(model.graph.node)} nodes; the limit is {_MAX_NODES}")
    return _GraphReader(path, model.graph, opset).read()


def _file_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ModelError(f"{path}: this is a directory", "give the .onnx file in it")
        size_bytes = path.stat().st_size
        if not path.is_file():  # reading a pipe or a device may never end
            raise ModelError(f"{path}: not a regular file", "give an .onnx file")
        if size_bytes > _MAX_FILE_BYTES:
            raise ModelError(f"{path.name}: {size_bytes} bytes; the limit is {_MAX_FILE_BYTES}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file", "check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise ModelError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, data: bytes) -> onnx.ModelProto:
    reject_other_kinds(path.name, data[:64])
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise ModelError(
            f"{path.name}: not an ONNX model, or a damaged or truncated one",
            "copy or export the file again",
        ) from error
    if not model.HasField("graph") or model.ir_version == 0:
        raise ModelError(f"{path.name}: not an ONNX model: it holds no graph", "export it again")
    if not _is_text(model):
        raise ModelError(f"{path.name}: damaged: a name in it is not text", "export it again")
    newest = onnx.IR_VERSION
    if not _MIN_IR_VERSION <= model.ir_version <= newest:
        raise ModelError(
            f"{path.name}: ONNX file version {model.ir_version}; "
            f"supported are {_MIN_IR_VERSION} to {newest}",
            _REEXPORT,
        )
    return model


def _is_text(message: Message) -> bool:
    """Whether all strings are UTF-8; protobuf hands out others as bytes."""
    for field, value in message.ListFields():
        items = value if field.is_repeated else (value,)
        if field.type == FieldDescriptor.TYPE_STRING and not all(isinstance(i, str) for i in items):
            return False
        if field.type == FieldDescriptor.TYPE_MESSAGE and not all(map(_is_text, items)):
            return False
    return True


def _opset(file: str, model: onnx.ModelProto) -> int:
    versions = [i.version for i in model.opset_import if i.domain in ("", "ai.onnx")]
    newest = onnx.defs.onnx_opset_version()
    if len(versions) != 1 or not _MIN_OPSET <= versions[0] <= newest:
        found = ", ".join(str(v) for v in versions[:4]) or "none"
        raise ModelError(
            f"{file}: operator set {found}; one from {_MIN_OPSET} to {newest} is supported",
            _REEXPORT,
        )
    return versions[0]


class _GraphReader:
    """Turns one GraphProto into a RawGraph."""

    def __init__(self, path: Path, graph: onnx.GraphProto, opset: int) -> None:
        self._file = path.name
        self._graph = graph
        self._opset = opset
        self._tensors = TensorReader(path)
        self._node_names: set[str] = set()

    def read(self) -> RawGraph:
        constants = self._initializers()
        input_name, input_shape = self._input(constants)
        output = self._output()
        nodes: list[RawNode] = []
        known = {"", input_name, *constants}
        for index, proto in enumerate(self._graph.node):
            node = self._node(proto, index)
            self._check_order(node, known)
            known.update(node.outputs)
            value = self._constant_value(proto, node)
            if value is None:
                nodes.append(node)
            else:
                constants[node.result] = value
        if output not in known:
            raise self._error(f"no node writes the output {printable(output)}")
        return RawGraph(
            self._file, self._opset, input_name, input_shape, output, tuple(nodes), constants
        )

    def _initializers(self) -> dict[str, Array]:
        if self._graph.sparse_initializer:
            raise self._error("sparse initializers are not supported", "export dense weights")
        constants: dict[str, Array] = {}
        for tensor in self._graph.initializer:
            if not tensor.name or tensor.name in constants:
                raise self._error(f"initializer name {printable(repr(tensor.name))} is not unique")
            constants[tensor.name] = self._tensors.read(tensor)
        return constants

    def _input(self, constants: dict[str, Array]) -> tuple[str, Shape]:
        inputs = [i for i in self._graph.input if i.name not in constants]
        if len(inputs) != 1:
            raise self._one("input", [i.name for i in inputs])
        (info,) = inputs
        name = printable(info.name)
        tensor = info.type.tensor_type
        if not info.name or not info.type.HasField("tensor_type"):
            raise self._error(f"input {name} is not a tensor")
        if tensor.elem_type != TensorProto.FLOAT:
            raise self._error(
                f"input {name} has element type {element_type_name(tensor.elem_type)}; "
                "it must be FLOAT",
                "export the network with a float32 input",
            )
        return info.name, self._input_shape(name, tensor)

    def _input_shape(self, name: str, tensor: onnx.TypeProto.Tensor) -> Shape:
        dims = list(tensor.shape.dim)
        if not 2 <= len(dims) <= 4:
            raise self._error(
                f"input {name} has {len(dims)} axes; it must be [batch, features] or "
                "[batch, channels, height, width]",
                "export the network with an example input that has a batch axis",
            )
        for axis, dim in enumerate(dims[1:], start=1):
            if dim.dim_value <= 0 or dim.dim_value > 1 << 20:
                found = dim.dim_param or dim.dim_value or "unknown"
                raise self._error(
                    f"input {name}: axis {axis} is {printable(str(found))}; every axis but the "
                    "batch must have a fixed size",
                    "export the network without dynamic axes",
                )
        return (1, *(dim.dim_value for dim in dims[1:]))

    def _output(self) -> str:
        outputs = [o.name for o in self._graph.output]
        if len(outputs) != 1 or not outputs[0]:
            raise self._one("output", outputs)
        return outputs[0]

    def _one(self, what: str, names: list[str]) -> ModelError:
        listed = ", ".join(printable(name) for name in names[:8]) or "none"
        return self._error(
            f"the model must have one {what}; found {len(names)}: {listed}",
            f"export the network with a single {what}",
        )

    def _check_order(self, node: RawNode, known: set[str]) -> None:
        name = printable(node.name)
        if not node.outputs or not node.outputs[0]:
            raise self._error(f"node {name} has no output")
        for tensor in node.inputs:
            if tensor not in known:
                raise self._error(
                    f"node {name} reads {printable(tensor)}, which no earlier node writes"
                )
        written = [output for output in node.outputs if output]
        for index, tensor in enumerate(written):
            if tensor in known or tensor in written[:index]:
                raise self._error(f"node {name} writes {printable(tensor)} a second time")

    def _node(self, proto: onnx.NodeProto, index: int) -> RawNode:
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        name = proto.name or f"{proto.op_type}_{index}"
        while name in self._node_names:
            name = f"{name}_{index}"
        self._node_names.add(name)
        attributes = {a.name: self._attribute(a) for a in proto.attribute}
        return RawNode(
            proto.op_type, domain, name, tuple(proto.input), tuple(proto.output), attributes
        )

    def _attribute(self, proto: onnx.AttributeProto) -> Attribute:
        if proto.ref_attr_name:
            return Unreadable("a reference to a function's attribute")
        match proto.type:
            case AttributeProto.FLOAT:
                value: Attribute = float(proto.f)
            case AttributeProto.INT:
                value = int(proto.i)
            case AttributeProto.STRING:
                value = proto.s.decode("utf-8", errors="replace")
            case AttributeProto.TENSOR if is_numeric_type(proto.t.data_type):
                value = self._tensors.read(proto.t)
            case AttributeProto.INTS:
                value = tuple(proto.ints)
            case AttributeProto.FLOATS:
                value = tuple(proto.floats)
            case _:
                value = Unreadable(_kind_name(proto.type))
        return value

    def _constant_value(self, proto: onnx.NodeProto, node: RawNode) -> Array | None:
        """The value of a Constant node; None for other nodes and unreadable values."""
        if proto.op_type != "Constant" or node.domain or node.inputs:
            return None
        for name, kind in (("value_float", float), ("value_int", int)):
            value = node.attributes.get(name)
            if isinstance(value, kind):
                return np.asarray(value, dtype=np.float32 if kind is float else np.int64)
        for name, dtype in (("value_floats", np.float32), ("value_ints", np.int64)):
            listed = node.attributes.get(name)
            if isinstance(listed, tuple):
                return np.asarray(listed, dtype=dtype)
        stored = node.attributes.get("value")
        return stored if isinstance(stored, np.ndarray) else None

    def _error(self, what: str, hint: str = "") -> ModelError:
        return ModelError(f"{self._file}: {what}", hint)


def _kind_name(kind: int) -> str:
    names = {v: k for k, v in AttributeProto.AttributeType.items()}
    return names.get(kind, f"kind {kind}").lower()
