from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper

from mcubnn.frontend import fold
from mcubnn.frontend.importer import import_model
from mcubnn.ir.types import Array
from mcubnn.ops.defs.dense import Dense
from tests.unit.frontend.onnx_models import (
    f32,
    floats,
    import_checked,
    ints,
    make_model,
    node,
    ops,
    rejection,
    save,
)

_W = {"w": floats(12, 3)}


def _then_gemm(nodes: list[NodeProto]) -> list[NodeProto]:
    return [*nodes, node("Gemm", "a w", "y")]


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Identity", "x", "i"), node("Identity", "i", "a")],
        [node("Dropout", "x half", "a")],
        [node("Dropout", "x half no", "a mask")],
        [node("Cast", "x", "a", to=TensorProto.FLOAT)],
        [node("CastLike", "x one", "c"), node("CastLike", "c x", "a")],
        [node("Mul", "one x", "m"), node("Div", "m one", "a")],
        [node("Add", "zero x", "m"), node("Sub", "m zero", "a")],
        [node("Slice", "x begin end axes", "a")],
        [node("Shape", "x", "s"), node("Reshape", "x s", "r"), node("Expand", "r s", "a")],
    ],
)
def test_nodes_that_compute_nothing_are_removed(tmp_path: Path, nodes: list[NodeProto]) -> None:
    constants = {
        **_W, "one": f32(1.0), "zero": f32(0.0), "half": f32(0.5), "no": np.asarray(False),
        "begin": ints([0]), "end": ints([1 << 40]), "axes": ints([1]),
    }  # fmt: skip
    graph = import_checked(make_model(_then_gemm(nodes), constants, [1, 12]), tmp_path)
    assert ops(graph) == ["dense"]


def test_dropout_in_training_mode_is_rejected(tmp_path: Path) -> None:
    constants = {**_W, "half": f32(0.5), "yes": np.asarray(True)}
    model = make_model(_then_gemm([node("Dropout", "x half yes", "a")]), constants, [1, 12])
    assert "model.eval()" in rejection(model, tmp_path)


def test_neutral_operand_that_enlarges_the_tensor_is_kept(tmp_path: Path) -> None:
    model = make_model([node("Mul", "x c", "y")], {"c": np.ones((2, 1), np.float32)}, [1, 12])
    assert "must broadcast" in rejection(model, tmp_path)


def _soft(tensor: str) -> list[NodeProto]:
    """A polynomial of x, as the detach trick leaves behind; no rule could translate it."""
    return [node("Mul", f"{tensor} {tensor}", "square"), node("Add", f"square {tensor}", "soft")]


@pytest.mark.parametrize(
    "residue",
    [
        [node("Sub", "s soft", "d"), node("Add", "d soft", "a")],
        [node("Sub", "s soft", "d"), node("Add", "soft d", "a")],
        [node("Add", "s soft", "d"), node("Sub", "d soft", "a")],
        [node("Add", "soft s", "d"), node("Sub", "d soft", "a")],
        [node("Identity", "soft", "t"), node("Sub", "s t", "d"), node("Add", "d soft", "a")],
        [node("Sub", "s soft", "d"), node("Identity", "d", "e"), node("Add", "soft e", "a")],
        [node("Sub", "s x", "d"), node("Add", "x d", "a")],
    ],
)
def test_straight_through_residue_is_removed(tmp_path: Path, residue: list[NodeProto]) -> None:
    nodes = _then_gemm([node("Sign", "x", "s"), *_soft("x"), *residue])
    graph = import_checked(make_model(nodes, _W, [1, 12]), tmp_path, tolerance=1e-4)
    assert ops(graph) == ["sign", "dense"]


def test_residue_that_was_computed_twice_is_removed(tmp_path: Path) -> None:
    nodes = [
        node("Sign", "x", "s"),
        node("Clip", "x low high", "soft1"),
        node("Clip", "x low2 high2", "soft2"),
        node("Sub", "s soft1", "d"),
        node("Add", "d soft2", "a"),
    ]
    bounds = {"low": f32(-1.0), "high": f32(1.0), "low2": f32(-1.0), "high2": f32(1.0)}
    graph = import_checked(make_model(_then_gemm(nodes), {**_W, **bounds}, [1, 12]), tmp_path)
    assert ops(graph) == ["sign", "dense"]


def test_residue_on_weights_gives_exact_weights(tmp_path: Path) -> None:
    nodes = [
        node("Sign", "latent", "s"),
        node("Sub", "s latent", "d"),
        node("Add", "d latent", "w"),
        node("Gemm", "x w", "y"),
    ]
    graph = import_model(save(make_model(nodes, {"latent": floats(300, 40)}, [1, 300]), tmp_path))
    (layer,) = [n.op for n in graph.nodes]
    assert isinstance(layer, Dense)
    assert np.array_equal(np.unique(layer.weights), [-1.0, 1.0])


def test_rounding_by_a_large_constant_is_kept(tmp_path: Path) -> None:
    nodes = _then_gemm([node("Add", "x c", "d"), node("Sub", "d c", "a")])
    constants = {**_W, "c": f32(1.5 * 2.0**23)}
    graph = import_checked(make_model(nodes, constants, [1, 12]), tmp_path)
    assert ops(graph) == ["add", "add", "dense"]


def test_different_difference_is_kept(tmp_path: Path) -> None:
    nodes = _then_gemm([node("Sub", "x c", "d"), node("Add", "d e", "a")])
    constants = {**_W, "c": floats(12), "e": 2 * floats(12)}
    assert ops(import_checked(make_model(nodes, constants, [1, 12]), tmp_path)) == [
        *("add", "add", "dense")
    ]


def _constant(name: str, value: Array) -> NodeProto:
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))


def test_weight_chains_of_any_size_are_folded(tmp_path: Path) -> None:
    nodes = [
        _constant("axes", ints([0])),
        node("ReduceMean", "latent", "mean", axes=[0]),
        node("Sub", "latent mean", "centred"),
        node("Abs", "centred", "size"),
        node("ReduceMean", "size", "alpha", axes=[0]),
        node("Log", "alpha", "log"),
        node("Round", "log", "exponent"),
        node("Pow", "two exponent", "scale"),
        node("Greater", "centred zero", "up"),
        node("Where", "up one minus", "s"),
        node("Mul", "s scale", "w"),
        node("Gemm", "x w", "y"),
    ]
    values = {"two": 2.0, "zero": 0.0, "one": 1.0, "minus": -1.0}
    constants = {"latent": floats(500, 40), **{k: f32(v) for k, v in values.items()}}
    assert ops(import_checked(make_model(nodes, constants, [1, 500]), tmp_path)) == ["dense"]


def test_shapes_of_computed_tensors_are_constants(tmp_path: Path) -> None:
    nodes = [
        node("Sign", "x", "s"),
        node("Shape", "s", "shape"),
        node("Expand", "bias shape", "spread"),
        node("Add", "s spread", "t"),
        node("Shape", "t", "shape2"),
        node("Gather", "shape2 zero", "batch"),
        node("Unsqueeze", "batch zero", "batch1"),
        node("Concat", "batch1 rest", "target", axis=0),
        node("Reshape", "t target", "y"),
    ]
    constants = {"bias": floats(3, 1, 1), "zero": ints([0]), "rest": ints([-1])}
    constants["zero"] = np.asarray(0, dtype=np.int64)
    nodes[6] = node("Unsqueeze", "batch axes", "batch1")
    constants["axes"] = ints([0])
    graph = import_checked(make_model(nodes, constants, [1, 3, 4, 5]), tmp_path)
    assert ops(graph) == ["sign", "add", "flatten"]


def test_fixed_batch_of_the_export_does_not_matter(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Slice", "s b e", "n"),
        node("Concat", "n rest", "target", axis=0),
        node("Reshape", "x target", "y"),
    ]
    constants = {"b": ints([0]), "e": ints([1]), "rest": ints([60])}
    model = make_model(nodes, constants, [32, 3, 4, 5])
    assert ops(import_model(save(model, tmp_path))) == ["flatten"]


_HUGE = 1 << 33


@pytest.mark.parametrize(
    "nodes",
    [
        [node("ConstantOfShape", "huge", "h"), node("ReduceSum", "h", "c", keepdims=0)],
        [node("Expand", "one huge", "h"), node("ReduceSum", "h", "c", keepdims=0)],
        [node("Tile", "row many", "h"), node("ReduceSum", "h", "c", keepdims=0)],
        [node("Range", "start limit step", "h"), node("ReduceSum", "h", "c", keepdims=0)],
        [node("Pad", "row wide", "h"), node("ReduceSum", "h", "c", keepdims=0)],
        [node("Reshape", "long column", "l"), node("Add", "l long", "h"),
         node("ReduceSum", "h", "c", keepdims=0)],
        [node("Reshape", "long column", "l"), node("Reshape", "long line", "m"),
         node("MatMul", "l m", "h"), node("ReduceSum", "h", "c", keepdims=0)],
    ],
)  # fmt: skip
def test_constants_that_grow_without_bound_are_not_computed(
    tmp_path: Path, nodes: list[NodeProto]
) -> None:
    constants = {
        "huge": ints([_HUGE]), "many": ints([_HUGE]), "wide": ints([0, _HUGE]),
        "one": f32(1.0), "row": np.ones(1, np.float32), "long": np.ones(20_000, np.float32),
        "column": ints([-1, 1]), "line": ints([1, -1]),
        "start": f32(0.0), "limit": f32(1e15), "step": f32(1.0),
    }  # fmt: skip
    model = make_model([*nodes, node("Mul", "x c", "y")], constants, [1, 12])
    assert "must have a bounded size" in rejection(model, tmp_path)


def test_repeated_growth_is_bounded_in_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "MAX_CONSTANT_BYTES", 1 << 20)
    nodes = [node("Expand", "row size", "h0")]
    nodes += [node("Add", f"h{i} row{i}", f"h{i + 1}") for i in range(20)]
    nodes += [node("ReduceSum", "h20", "c", keepdims=0), node("Mul", "x c", "y")]
    constants = {"row": np.ones(1, np.float32), "size": ints([1 << 14])}
    constants |= {f"row{i}": f32(float(i + 1)) for i in range(20)}
    model = make_model(nodes, constants, [1, 12])
    assert "must have a bounded size" in rejection(model, tmp_path)


def test_invalid_constant_computation_names_the_node(tmp_path: Path) -> None:
    nodes = [node("Add", "a b", "c"), node("Mul", "x c", "y")]
    model = make_model(nodes, {"a": floats(3), "b": floats(4)}, [1, 12])
    message = rejection(model, tmp_path)
    assert "node_c (Add): a constant must have a valid shape" in message


def test_constants_that_become_nan_are_rejected(tmp_path: Path) -> None:
    nodes = [node("Log", "a", "c"), node("Mul", "x c", "y")]
    model = make_model(nodes, {"a": f32(1.0, -1.0, 2.0)}, [1, 3])
    assert "1 NaN or infinite values in c" in rejection(model, tmp_path)


@pytest.mark.parametrize("value", [{"value_float": 2.0}, {"value_floats": [2.0, 3.0, 4.0]}])
def test_constant_nodes_hold_values_in_any_form(tmp_path: Path, value: dict[str, Any]) -> None:
    constant = helper.make_node("Constant", [], ["c"], **value)
    import_checked(make_model([constant, node("Mul", "x c", "y")], {}, [1, 3]), tmp_path)


def test_dead_nodes_are_not_checked(tmp_path: Path) -> None:
    nodes = [node("LSTM", "x w w", "dead"), node("Relu", "x", "y")]
    graph = import_model(save(make_model(nodes, _W, [1, 12]), tmp_path))
    assert ops(graph) == ["clip"]
