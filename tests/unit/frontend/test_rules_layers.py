from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from onnx import NodeProto, TensorProto

from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.shape import Pad
from tests.unit.frontend.onnx_models import (
    f32,
    floats,
    import_checked,
    ints,
    make_model,
    node,
    ops,
    rejection,
)

_CONV = {"w": floats(4, 3, 3, 2), "b": floats(4)}
_MAP = [1, 3, 9, 8]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [2, 0, 1, 3]},
        {"strides": [2, 3], "pads": [1, 1, 1, 1]},
        {"dilations": [2, 3]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 1]},
        {"auto_pad": "VALID", "kernel_shape": [3, 2]},
    ],
)
def test_conv_window_means_what_onnx_means(tmp_path: Path, attributes: dict[str, Any]) -> None:
    graph = import_checked(
        make_model([node("Conv", "x w b", "y", **attributes)], _CONV, _MAP), tmp_path
    )
    assert ops(graph) == ["conv2d"]


def test_conv_without_bias_has_none(tmp_path: Path) -> None:
    graph = import_checked(make_model([node("Conv", "x w", "y")], _CONV, _MAP), tmp_path)
    assert isinstance(graph.nodes[0].op, Conv2d)
    assert graph.nodes[0].op.bias is None


@pytest.mark.parametrize(
    ("attributes", "shape", "weights", "words"),
    [
        ({"group": 3}, _MAP, (3, 1, 3, 3), "group must be 1; found group 3"),
        ({}, [1, 3, 9], (4, 3, 3), "reads a map"),
        ({}, [1, 2, 9, 9], (4, 3, 3, 3), "must have the map's channels"),
        ({"kernel_shape": [5, 5]}, _MAP, (4, 3, 3, 3), "kernel_shape must be the weights'"),
        ({"pads": [-1, 0, 0, 0]}, _MAP, (4, 3, 3, 3), "pads must be from 0"),
        ({"strides": [0, 1]}, _MAP, (4, 3, 3, 3), "strides must be from 1"),
        ({"strides": [1, 1, 1]}, _MAP, (4, 3, 3, 3), "strides must have two values"),
        ({"strides": 1.5}, _MAP, (4, 3, 3, 3), "attribute strides must list integers"),
        ({"auto_pad": "SOME"}, _MAP, (4, 3, 3, 3), "auto_pad must be"),
        ({}, _MAP, (4, 3, 30, 30), "window must fit"),
    ],
)
def test_conv_that_cannot_be_compiled_names_the_rule(
    tmp_path: Path,
    attributes: dict[str, Any],
    shape: list[int],
    weights: tuple[int, ...],
    words: str,
) -> None:
    model = make_model([node("Conv", "x w", "y", **attributes)], {"w": floats(*weights)}, shape)
    message = rejection(model, tmp_path)
    assert words in message
    assert "node_y (Conv)" in message


def test_conv_with_computed_weights_is_rejected(tmp_path: Path) -> None:
    model = make_model([node("Conv", "c x", "y")], {"c": floats(1, 3, 9, 9)}, [1, 3, 3, 3])
    assert "input 0 must be computed" in rejection(model, tmp_path)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1]},
        {"kernel_shape": [2, 2], "dilations": [2, 2]},
        {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ],
)
def test_max_pool_means_what_onnx_means(tmp_path: Path, attributes: dict[str, Any]) -> None:
    import_checked(make_model([node("MaxPool", "x", "y", **attributes)], {}, _MAP), tmp_path)


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_maximum_of_a_map_is_a_pool(tmp_path: Path, keepdims: int, opset: int) -> None:
    constants = {"w": floats(4, 3, 3, 2)}
    axes: dict[str, Any] = {"axes": [-1, 2]} if opset < 18 else {}
    if opset >= 18:
        constants["axes"] = ints([2, 3])
    inputs = "c" if opset < 18 else "c axes"
    nodes = [node("Conv", "x w", "c"), node("ReduceMax", inputs, "y", keepdims=keepdims, **axes)]
    graph = import_checked(make_model(nodes, constants, _MAP, opset=opset), tmp_path)
    assert ops(graph) == ["conv2d", "max_pool", "flatten"][: 3 - keepdims]


def test_global_max_pool_is_a_pool(tmp_path: Path) -> None:
    nodes = [node("GlobalMaxPool", "x", "p"), node("Flatten", "p", "y")]
    assert ops(import_checked(make_model(nodes, {}, _MAP), tmp_path)) == ["max_pool", "flatten"]


@pytest.mark.parametrize("axes", [[1], [2], [1, 2, 3]])
def test_maximum_over_other_axes_is_rejected(tmp_path: Path, axes: list[int]) -> None:
    nodes = [node("Conv", "x w", "c"), node("ReduceMax", "c", "y", axes=axes)]
    message = rejection(make_model(nodes, {"w": floats(4, 3, 3, 2)}, _MAP, opset=13), tmp_path)
    assert "axes must be height and width" in message


def test_max_pool_with_incomplete_windows_is_rejected(tmp_path: Path) -> None:
    pool = node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    assert "ceil_mode must be 0" in rejection(make_model([pool], {}, _MAP), tmp_path)


def test_unused_indices_of_max_pool_are_ignored(tmp_path: Path) -> None:
    pool = node("MaxPool", "x", "y indices", kernel_shape=[2, 2])
    import_checked(make_model([pool], {}, _MAP), tmp_path)


def test_used_indices_of_max_pool_are_rejected(tmp_path: Path) -> None:
    nodes = [
        node("MaxPool", "x", "p indices", kernel_shape=[2, 2]),
        node("Cast", "indices", "y", to=TensorProto.FLOAT),
    ]
    assert "only its first output" in rejection(make_model(nodes, {}, _MAP), tmp_path)


@pytest.mark.parametrize(
    ("inputs", "attributes"),
    [
        ("x w c", {"transB": 1}),
        ("x w c", {"transB": 1, "alpha": 0.5, "beta": -2.0}),
        ("x v", {}),
        ("x v s", {}),
        ("x v r", {}),
    ],
)
def test_gemm_means_what_onnx_means(
    tmp_path: Path, inputs: str, attributes: dict[str, Any]
) -> None:
    constants = {
        "w": floats(5, 7), "v": floats(7, 5), "c": floats(5), "s": f32(0.5), "r": floats(1, 5),
    }  # fmt: skip
    model = make_model([node("Gemm", inputs, "y", **attributes)], constants, [1, 7])
    assert ops(import_checked(model, tmp_path)) == ["dense"]


def test_matmul_with_constant_right_side_is_dense(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x v", "z"), node("Add", "z c", "y")]
    graph = import_checked(make_model(nodes, {"v": floats(7, 5), "c": floats(5)}, [1, 7]), tmp_path)
    assert ops(graph) == ["dense", "add"]


@pytest.mark.parametrize(
    ("nodes", "shape", "words"),
    [
        ([node("Gemm", "x v", "y", transA=1)], [1, 7], "transA must be 0"),
        ([node("MatMul", "v x", "y")], [7, 1], "input 0 must be computed"),
        ([node("MatMul", "x v", "y")], [1, 2, 3, 7], "reads a vector"),
        ([node("Gemm", "x t", "y")], [1, 7], "weights must be a matrix"),
        ([node("Gemm", "x v t", "y")], [1, 7], "the bias must have 5 values"),
        ([node("Gemm", "x v u", "y")], [1, 7], "the bias must have 5 values"),
        ([node("Gemm", "x v", "y", alpha=1e39)], [1, 7], "constants must be finite"),
        ([node("Gemm", "x v", "y")], [1, 8], "dense's weights must have the input's shape"),
    ],
)
def test_dense_that_cannot_be_compiled_names_the_rule(
    tmp_path: Path, nodes: list[NodeProto], shape: list[int], words: str
) -> None:
    constants = {"v": floats(7, 5), "t": floats(3, 1, 1), "u": floats(4)}
    assert words in rejection(make_model(nodes, constants, shape), tmp_path)


_NORM = {
    "gamma": f32(1.5, -2.0, 0.0),
    "beta": f32(0.5, 0.25, -1.0),
    "mean": f32(0.1, -0.2, 0.3),
    "var": f32(0.5, 2.0, 1.0),
}


@pytest.mark.parametrize("shape", [[1, 3, 4, 5], [1, 3]])
def test_batch_norm_means_what_onnx_means(tmp_path: Path, shape: list[int]) -> None:
    norm = node("BatchNormalization", "x gamma beta mean var", "y", epsilon=1e-3)
    import_checked(make_model([norm], _NORM, shape), tmp_path)


def test_batch_norm_in_training_mode_is_rejected(tmp_path: Path) -> None:
    norm = node("BatchNormalization", "x gamma beta mean var", "y a b", training_mode=1)
    assert "model.eval()" in rejection(make_model([norm], _NORM, [1, 3, 4, 5]), tmp_path)


def test_batch_norm_with_negative_variance_is_rejected(tmp_path: Path) -> None:
    norm = node("BatchNormalization", "x gamma beta mean var", "y")
    constants = {**_NORM, "var": f32(1.0, -1.0, 1.0)}
    assert "must be positive" in rejection(make_model([norm], constants, [1, 3, 4, 5]), tmp_path)


@pytest.mark.parametrize("value", [-1.0, 0.0, 2.5])
def test_pad_means_what_onnx_means(tmp_path: Path, value: float) -> None:
    constants = {"p": ints([0, 0, 1, 2, 0, 0, 3, 0]), "v": f32(value)}
    graph = import_checked(make_model([node("Pad", "x p v", "y")], constants, _MAP), tmp_path)
    assert isinstance(graph.nodes[0].op, Pad)
    assert graph.nodes[0].op.pads == (1, 2, 3, 0)


def test_pad_may_name_axes(tmp_path: Path) -> None:
    constants = {"p": ints([1, 2, 3, 4]), "a": ints([-1, 2])}
    model = make_model([node("Pad", "x p _ a", "y")], constants, _MAP, opset=18)
    import_checked(model, tmp_path)


@pytest.mark.parametrize(
    ("pads", "attributes", "words"),
    [
        ([0, 0, -1, 0, 0, 0, 0, 0], {}, "must not be negative"),
        ([0, 1, 0, 0, 0, 0, 0, 0], {}, "only height and width"),
        ([0, 0, 1, 1, 0, 0, 1, 1], {"mode": "reflect"}, "mode must be constant; found reflect"),
        ([0, 0, 1, 1], {}, "two values per axis"),
    ],
)
def test_pad_that_cannot_be_compiled_names_the_rule(
    tmp_path: Path, pads: list[int], attributes: dict[str, Any], words: str
) -> None:
    model = make_model([node("Pad", "x p", "y", **attributes)], {"p": ints(pads)}, _MAP)
    assert words in rejection(model, tmp_path)


def test_padding_around_bits_must_be_representable(tmp_path: Path) -> None:
    nodes = [node("Sign", "x", "s"), node("Pad", "s p v", "y")]
    constants = {"p": ints([0, 0, 1, 1, 0, 0, 1, 1]), "v": f32(0.5)}
    assert "around bits -1, 0 or 1" in rejection(make_model(nodes, constants, _MAP), tmp_path)
