from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto

from mcubnn.ir.types import Array
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.sign import Sign
from tests.unit.frontend.onnx_models import (
    f32,
    floats,
    import_checked,
    make_model,
    node,
    ops,
    rejection,
)


@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("inputs", ["x c", "c x"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1), (1, 3, 1, 1), (1, 3, 4, 5), (1, 1, 4, 5)])
def test_arithmetic_with_a_constant_means_what_onnx_means(
    tmp_path: Path, op_type: str, inputs: str, shape: tuple[int, ...]
) -> None:
    model = make_model([node(op_type, inputs, "y")], {"c": floats(*shape) + 3}, [1, 3, 4, 5])
    if (op_type, inputs) == ("Div", "c x"):
        assert "the divisor must be constant" in rejection(model, tmp_path)
    else:
        import_checked(model, tmp_path)


@pytest.mark.parametrize(
    ("constant", "shape"),
    [
        (floats(), ()),
        (floats(1, 1, 1, 1), ()),
        (floats(3, 1, 1), (3,)),
        (np.broadcast_to(floats(1, 3, 1, 1), (1, 3, 4, 5)), (3,)),
        (floats(1, 3, 4, 5), (4, 5, 3)),
        (floats(1, 1, 4, 5), (4, 5, 3)),
        (floats(3, 1, 1).astype(np.float64).astype(np.float32), (3,)),
    ],
)
def test_constants_are_as_small_as_their_repetition_allows(
    tmp_path: Path, constant: Array, shape: tuple[int, ...]
) -> None:
    graph = import_checked(
        make_model([node("Add", "x c", "y")], {"c": constant}, [1, 3, 4, 5]), tmp_path
    )
    assert isinstance(graph.nodes[0].op, Add)
    assert graph.nodes[0].op.constant.shape == shape
    assert graph.nodes[0].op.constant.dtype == np.float32


@pytest.mark.parametrize("shape", [(2, 3, 1, 1), (1, 7, 1, 1), (2, 1, 3, 4, 5)])
def test_constants_that_enlarge_the_tensor_are_rejected(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    model = make_model([node("Add", "x c", "y")], {"c": floats(*shape)}, [1, 3, 4, 5])
    assert "must broadcast" in rejection(model, tmp_path)


def test_division_by_zero_is_rejected(tmp_path: Path) -> None:
    model = make_model([node("Div", "x c", "y")], {"c": f32(1.0, 0.0, 2.0)}, [1, 3])
    assert "must not be 0" in rejection(model, tmp_path)


def test_neg_and_relu_are_mul_and_clip(tmp_path: Path) -> None:
    graph = import_checked(
        make_model([node("Neg", "x", "n"), node("Relu", "n", "y")], {}, [1, 6]), tmp_path
    )
    assert ops(graph) == ["mul", "clip"]


@pytest.mark.parametrize(
    ("inputs", "low", "high"),
    [
        ("x low high", -1.0, 1.0),
        ("x low", -1.0, math.inf),
        ("x _ high", -math.inf, 1.0),
        ("x low infinite", -1.0, math.inf),
    ],
)
def test_clip_bounds_may_be_missing(tmp_path: Path, inputs: str, low: float, high: float) -> None:
    constants = {"low": f32(-1.0), "high": f32(1.0), "infinite": f32(math.inf)}
    graph = import_checked(make_model([node("Clip", inputs, "y")], constants, [1, 6]), tmp_path)
    assert isinstance(graph.nodes[0].op, Clip)
    assert (graph.nodes[0].op.low, graph.nodes[0].op.high) == (low, high)


@pytest.mark.parametrize("op_type", ["Min", "Max"])
@pytest.mark.parametrize("inputs", ["x c", "c x"])
def test_min_and_max_with_a_number_are_a_clip(tmp_path: Path, op_type: str, inputs: str) -> None:
    model = make_model([node(op_type, inputs, "y")], {"c": f32(0.25)}, [1, 6])
    assert ops(import_checked(model, tmp_path)) == ["clip"]


@pytest.mark.parametrize(
    ("inputs", "constant", "words"),
    [("x c", floats(6), "one number"), ("x c c", f32(0.0), "two operands")],
)
def test_other_min_is_rejected(tmp_path: Path, inputs: str, constant: Array, words: str) -> None:
    model = make_model([node("Min", inputs, "y")], {"c": constant}, [1, 6])
    assert words in rejection(model, tmp_path)


def test_clip_of_old_operator_sets_has_attributes(tmp_path: Path) -> None:
    clip = node("Clip", "x", "y", min=-0.5, max=0.75)
    import_checked(make_model([clip], {}, [1, 6], opset=10), tmp_path)


@pytest.mark.parametrize("tail", [node("Relu", "s", "y"), node("Clip", "s low high", "y")])
def test_clip_of_bits_is_a_factor_and_an_offset(tmp_path: Path, tail: NodeProto) -> None:
    """Two values stay two values."""
    nodes = [node("Sign", "x", "s"), tail]
    constants = {"low": f32(-0.5), "high": f32(3.0)}
    graph = import_checked(make_model(nodes, constants, [1, 6]), tmp_path)
    assert ops(graph) == ["sign", "mul", "add"]


def test_hardtanh_of_bits_is_nothing(tmp_path: Path) -> None:
    nodes = [node("Sign", "x", "s"), node("Clip", "s low high", "y")]
    constants = {"low": f32(-1.0), "high": f32(1.0)}
    graph = import_checked(make_model(nodes, constants, [1, 6]), tmp_path)
    assert ops(graph) == ["sign"]


@pytest.mark.parametrize("bound", [f32(math.nan), f32(1.0, 2.0)])
def test_clip_with_unusable_bound_is_rejected(tmp_path: Path, bound: Array) -> None:
    model = make_model([node("Clip", "x c", "y")], {"c": bound}, [1, 6])
    assert rejection(model, tmp_path)


_AT_ZERO = {"Greater": -1, "GreaterOrEqual": 1, "Less": 1, "LessOrEqual": -1}
_SWAPPED = {"Greater": 1, "GreaterOrEqual": -1, "Less": -1, "LessOrEqual": 1}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("constant", [0.0, 0.3])
@pytest.mark.parametrize("op_type", _AT_ZERO)
def test_comparison_and_where_are_a_sign(
    tmp_path: Path, op_type: str, constant: float, swapped: bool
) -> None:
    nodes = [
        node(op_type, "c x" if swapped else "x c", "b"),
        node("Where", "b one minus", "y"),
    ]
    constants = {"c": f32(constant), "one": f32(1.0), "minus": f32(-1.0)}
    graph = import_checked(make_model(nodes, constants, [1, 12]), tmp_path)
    (sign,) = [n.op for n in graph.nodes if isinstance(n.op, Sign)]
    assert sign.at_zero == (_SWAPPED if swapped else _AT_ZERO)[op_type]
    falling = op_type.startswith("Less") != swapped
    assert ops(graph) == ["add"] * bool(constant) + ["sign"] + ["mul"] * falling


@pytest.mark.parametrize("op_type", _AT_ZERO)
def test_comparison_decides_zero_as_onnx_does(tmp_path: Path, op_type: str) -> None:
    nodes = [
        node("Relu", "x", "r"),  # about half of the values are exactly 0
        node(op_type, "r c", "b"),
        node("Where", "b one minus", "y"),
    ]
    constants = {"c": f32(0.0), "one": f32(1.0), "minus": f32(-1.0)}
    import_checked(make_model(nodes, constants, [1, 40]), tmp_path)


@pytest.mark.parametrize(
    ("then", "otherwise", "expected"),
    [
        (1.0, -1.0, ["sign"]),
        (-1.0, 1.0, ["sign", "mul"]),
        (0.25, -0.25, ["sign", "mul"]),
        (1.0, 0.0, ["sign", "mul", "add"]),
        (3.0, 1.0, ["sign", "add"]),
    ],
)
def test_where_chooses_any_two_values(
    tmp_path: Path, then: float, otherwise: float, expected: list[str]
) -> None:
    nodes = [node("Greater", "x zero", "b"), node("Where", "b t o", "y")]
    constants = {"zero": f32(0.0), "t": f32(then), "o": f32(otherwise)}
    assert ops(import_checked(make_model(nodes, constants, [1, 12]), tmp_path)) == expected


def test_where_may_choose_per_channel(tmp_path: Path) -> None:
    nodes = [node("Less", "x zero", "b"), node("Not", "b", "n"), node("Where", "n t o", "y")]
    constants = {"zero": f32(0.0), "t": floats(3, 1, 1), "o": -floats(1, 3, 1, 1)}
    import_checked(make_model(nodes, constants, [1, 3, 4, 5]), tmp_path)


def test_cast_times_two_minus_one_is_only_a_sign(tmp_path: Path) -> None:
    nodes = [
        node("Greater", "x zero", "b"),
        node("Cast", "b", "f", to=TensorProto.FLOAT),
        node("Mul", "f two", "m"),
        node("Sub", "m one", "y"),
    ]
    constants = {"zero": f32(0.0), "two": f32(2.0), "one": f32(1.0)}
    assert ops(import_checked(make_model(nodes, constants, [1, 12]), tmp_path)) == ["sign"]


def test_unfinished_choice_becomes_mul_and_add_before_a_layer(tmp_path: Path) -> None:
    nodes = [
        node("Greater", "x zero", "b"),
        node("Cast", "b", "f", to=TensorProto.FLOAT),
        node("Gemm", "f w", "y"),
    ]
    model = make_model(nodes, {"zero": f32(0.0), "w": floats(12, 3)}, [1, 12])
    graph = import_checked(model, tmp_path)
    assert ops(graph) == ["sign", "mul", "add", "dense"]
    assert isinstance(graph.nodes[1].op, Mul)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Greater", "x c", "b"), node("Where", "b x c", "y")], "must be constants"),
        ([node("Greater", "x x", "b"), node("Where", "b c d", "y")], "must be sequential"),
        ([node("Cast", "x", "i", to=TensorProto.INT32), node("Neg", "i", "y")], "casts must be"),
        ([node("Cast", "x", "y", to=TensorProto.FLOAT16)], "casts must be to FLOAT"),
        ([node("Greater", "x c", "y")], "is a comparison"),
    ],
)
def test_selection_that_cannot_be_compiled_names_the_rule(
    tmp_path: Path, nodes: list[NodeProto], words: str
) -> None:
    model = make_model(nodes, {"c": f32(0.0), "d": f32(1.0)}, [1, 4])
    assert words in rejection(model, tmp_path)
