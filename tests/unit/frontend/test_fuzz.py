"""A damaged or hostile file is refused with a ModelError or imported, and never anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import hypothesis.strategies as st
import onnx
import pytest
from hypothesis import given, settings
from onnx import AttributeProto, TensorProto

from mcubnn.errors import ModelError
from mcubnn.frontend.importer import import_model
from mcubnn.frontend.rules import RULES
from tests.unit.frontend.onnx_models import binary_dense, f32, floats, ints, make_model, node

_Item = TypeVar("_Item")

_VALID = binary_dense().SerializeToString()


def _varied_model() -> onnx.ModelProto:
    """Constant chains, estimator residue, shapes as values, and most operators of the table."""
    nodes = [
        node("Mul", "x c", "scaled"),
        node("Conv", "scaled w0 c3", "conv0", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "conv0 c3 c3 c3 v3", "norm0"),
        node("Sign", "norm0", "hard"),
        node("Clip", "norm0 low high", "soft"),
        node("Sub", "hard soft", "difference"),
        node("Add", "difference soft", "bits"),
        node("Pad", "bits pads low", "padded"),
        node("ReduceMean", "latent", "mean", axes=[1, 2, 3]),
        node("Sub", "latent mean", "centred"),
        node("Sign", "centred", "w1"),
        node("Conv", "padded w1", "conv1"),
        node("MaxPool", "conv1", "pooled", kernel_shape=[2, 2], strides=[2, 2]),
        node("Greater", "pooled c", "above"),
        node("Cast", "above", "ones", to=TensorProto.FLOAT),
        node("Shape", "ones", "shape"),
        node("Expand", "c3 shape", "spread"),
        node("Transpose", "ones", "moved", perm=[0, 2, 3, 1]),
        node("Flatten", "moved", "flat"),
        node("Gemm", "flat w2", "scores", transB=1, alpha=0.5),
        node("Where", "above c low", "chosen"),
        node("Softmax", "scores", "y", axis=1),
    ]
    constants = {
        "c": f32(0.5), "low": f32(-1.0), "high": f32(1.0), "c3": floats(3, 1, 1)[:, 0, 0],
        "v3": abs(floats(3)) + 1, "w0": floats(3, 2, 3, 3), "latent": floats(3, 3, 3, 3),
        "pads": ints([0, 0, 1, 1, 0, 0, 1, 1]), "w2": floats(4, 12),
    }  # fmt: skip
    return make_model(nodes, constants, ["N", 2, 8, 8])


_VARIED = _varied_model()
_FOLDED = (
    "Shape Expand ConstantOfShape Range Concat Slice Gather Tile ReduceSum ArgMax Softmax Split"
)
_OPERATORS = sorted({*RULES, *_FOLDED.split()})
_WRITTEN = [proto.output[0] for proto in _VARIED.graph.node]
_TENSORS = ["", "x", *_WRITTEN, *(tensor.name for tensor in _VARIED.graph.initializer)]
_INTEGERS = [-(1 << 63), -1, 0, 1, 2, 3, 1 << 20, 1 << 40, (1 << 63) - 1]

_Change = tuple[str, int, int, int]
"""What to change, and three numbers that choose where and to what."""

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["operator", "input", "attribute", "dims", "output", "inputs", "type"]),
        *[st.integers(0, 999)] * 3,
    ),
    min_size=1,
    max_size=4,
)


def _import(folder: Path, data: bytes) -> None:
    path = folder / "damaged.onnx"
    path.write_bytes(data)
    with contextlib.suppress(ModelError):
        import_model(path)


def _pick(items: Sequence[_Item], number: int) -> _Item:
    return items[number % len(items)]


def _apply(model: onnx.ModelProto, change: _Change) -> None:
    what, where, which, value = change
    proto = _pick(list(model.graph.node), where)
    match what:
        case "operator":
            proto.op_type = _pick(_OPERATORS, value)
        case "input" if proto.input:
            proto.input[which % len(proto.input)] = _pick(_TENSORS, value)
        case "attribute" if proto.attribute:
            _change_attribute(_pick(list(proto.attribute), which), value)
        case "dims":
            tensor = _pick(list(model.graph.initializer), where)
            if tensor.dims:
                tensor.dims[which % len(tensor.dims)] = _pick(_INTEGERS, value)
        case "output":
            model.graph.output[0].name = _pick(_TENSORS, value)
        case "inputs":
            del proto.input[which % (len(proto.input) + 1) :]
        case "type":
            _pick(list(model.graph.initializer), where).data_type = value % 25
        case _:
            pass  # the node has nothing of that kind


def _change_attribute(attribute: onnx.AttributeProto, value: int) -> None:
    match attribute.type:
        case AttributeProto.INT:
            attribute.i = _pick(_INTEGERS, value)
        case AttributeProto.INTS:
            attribute.ints[value % len(attribute.ints)] = _pick(_INTEGERS, value)
        case AttributeProto.FLOAT:
            attribute.f = _pick([0.0, -1.0, 1e39, float("nan")], value)
        case _:
            attribute.type = AttributeProto.STRING


def test_unchanged_models_are_imported(tmp_path: Path) -> None:
    for data in (_VALID, _VARIED.SerializeToString()):
        path = tmp_path / "valid.onnx"
        path.write_bytes(data)
        import_model(path)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(_VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8
    ),
    end=st.one_of(st.none(), st.integers(0, len(_VALID))),
)
def test_changed_bytes_raise_nothing_but_model_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], end: int | None
) -> None:
    data = bytearray(_VALID)
    for position, value in changes:
        data[position] = value
    _import(tmp_path_factory.getbasetemp(), bytes(data[:end]))


@settings(max_examples=300, deadline=None)
@given(changes=_CHANGES)
def test_changed_graphs_raise_nothing_but_model_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[_Change]
) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(_VARIED)
    for change in changes:
        _apply(model, change)
    _import(tmp_path_factory.getbasetemp(), model.SerializeToString())
