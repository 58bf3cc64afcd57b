from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from mcubnn.errors import ModelError
from mcubnn.frontend.importer import import_model
from mcubnn.frontend.names import model_name
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.evaluate import evaluate_output
from tests.unit.frontend.onnx_models import (
    binary_dense,
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

_SHARED = Path(__file__).resolve().parents[4] / "shared"


def test_import_gives_named_nodes_and_tensors(tmp_path: Path) -> None:
    graph = import_checked(binary_dense(), tmp_path)
    assert graph.tensors["x"] == TensorType((3, 3, 2), DType.FLOAT32)
    assert [(n.name, n.op.name, n.sources, n.result) for n in graph.nodes] == [
        ("node_flat", "flatten", ("x",), "flat"),
        ("node_z", "dense", ("flat",), "z"),
        ("node_s", "sign", ("z",), "s"),
        ("node_y", "dense", ("s",), "y"),
    ]
    assert graph.tensors["s"].dtype is DType.BIT
    assert (graph.name, graph.input, graph.output) == ("model", "x", "y")


def test_node_names_are_unique(tmp_path: Path) -> None:
    model = binary_dense()
    for proto in model.graph.node:
        proto.name = "same"
    names = [n.name for n in import_model(save(model, tmp_path)).nodes]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("digits", "digits"),
        ("VGG-Small.v2", "vgg_small_v2"),
        ("2nd", "model_2nd"),
        ("int", "model_int"),
        ("größe", "gr_e"),
        ("日本", "model"),
        ("__x__", "x"),
        ('"; rm -rf ~', "rm_rf"),
        ("a" * 60, "a" * 40),
    ],
)
def test_model_name_is_a_c_identifier(stem: str, name: str) -> None:
    assert model_name(stem) == name


def _scores(*tail: NodeProto) -> list[NodeProto]:
    return [node("Gemm", "x w", "z"), *tail]


@pytest.mark.parametrize(
    ("tail", "dropped"),
    [
        ([node("Softmax", "z", "y", axis=1)], ["Softmax"]),
        ([node("LogSoftmax", "z", "y", axis=-1)], ["LogSoftmax"]),
        ([node("Sigmoid", "z", "y")], ["Sigmoid"]),
        ([node("ArgMax", "z", "y", axis=1)], ["ArgMax"]),
        ([node("Softmax", "z", "p"), node("Identity", "p", "q"),
          node("ArgMax", "q", "a", axis=1, keepdims=0),
          node("Cast", "a", "y", to=TensorProto.INT32)], ["ArgMax", "Softmax"]),
    ],
)  # fmt: skip
def test_what_follows_the_scores_is_dropped_with_a_note(
    tmp_path: Path, tail: list[NodeProto], dropped: list[str]
) -> None:
    graph = import_model(save(make_model(_scores(*tail), {"w": floats(12, 3)}, [1, 12]), tmp_path))
    assert ops(graph) == ["dense"]
    assert graph.output == "z"
    assert [note.text.split()[0] for note in graph.notes] == dropped


def test_softmax_over_another_axis_is_rejected(tmp_path: Path) -> None:
    nodes = [node("Softmax", "x", "y", axis=2)]
    assert "last operator" in rejection(make_model(nodes, {}, [1, 3, 4, 5]), tmp_path)


def test_sigmoid_in_the_middle_is_rejected(tmp_path: Path) -> None:
    nodes = [node("Sigmoid", "x", "s"), node("Gemm", "s w", "y")]
    message = rejection(make_model(nodes, {"w": floats(12, 3)}, [1, 12]), tmp_path)
    assert "it can only be the last operator" in message


def test_rule_of_a_type_is_told_once(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "y")]
    message = rejection(make_model(nodes, {"w": floats(4, 3, 9, 9)}, [1, 3, 8, 8]), tmp_path)
    assert message.rstrip().endswith("found map 8x8, window 9x9, pads (0, 0, 0, 0)")


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1], group=3),
        node("PRelu", "c slope", "p"),
        node("Add", "p c", "r"),
        node("AveragePool", "r", "a", kernel_shape=[2, 2]),
        node("Mystery", "a", "m"),
        node("Elu", "m", "e"),
        node("Sign", "e", "y"),
    ]
    nodes[4].domain = "my.ops"
    constants = {"w": floats(3, 1, 3, 3), "slope": floats(3, 1, 1)}
    message = rejection(make_model(nodes, constants, [1, 3, 8, 8]), tmp_path)
    assert message.startswith("model.onnx: 6 nodes cannot be compiled")
    for expected in [
        "node_c (Conv): group must be 1; found group 3",
        "node_p (PRelu): the operator must be one that mcubnn supports; found PRelu",
        "binarize with sign instead",
        "node_r (Add): the network must be sequential",
        "node_a (AveragePool)",
        "node_m (Mystery): the operator must be one that mcubnn supports; found Mystery of domain",
        "node_e (Elu)",
    ]:
        assert expected in message


def test_nodes_after_a_broken_one_are_checked_too(tmp_path: Path) -> None:
    nodes = [
        node("Gemm", "x w", "z", transA=1),
        node("Reshape", "z shape", "r"),
        node("Elu", "r", "y"),
    ]
    model = make_model(nodes, {"w": floats(1, 3), "shape": ints([1, 36])}, [1, 12])
    message = rejection(model, tmp_path)
    assert "node_z (Gemm)" in message
    assert "node_y (Elu)" in message


def test_long_lists_of_problems_are_cut(tmp_path: Path) -> None:
    nodes = [node("Elu", "x", "t0")]
    nodes += [node("Elu", f"t{i}", f"t{i + 1}", alpha=float(i)) for i in range(29)]
    message = rejection(make_model(nodes, {}, [1, 12], output="t29"), tmp_path)
    assert "30 nodes cannot be compiled" in message
    assert "... and 10 more" in message
    assert message.count("(Elu)") == 20


def test_control_flow_is_rejected(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["b"])],
        "branch",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
    )
    nodes = [node("If", "yes", "y", then_branch=branch, else_branch=branch)]
    model = make_model([node("Relu", "x", "r"), *nodes], {"yes": np.asarray(True)}, [1, 4])
    assert "does not depend on the input" in rejection(model, tmp_path)


def test_control_flow_after_the_input_is_rejected(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [], "branch", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)]
    )
    nodes = [
        node("Greater", "x zero", "b"),
        node("If", "b", "y", then_branch=branch, else_branch=branch),
    ]
    message = rejection(make_model(nodes, {"zero": f32(0.0)}, [1, 1]), tmp_path)
    assert "without control flow" in message


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Add", "c d", "y")], "does not depend on the input"),
        ([node("Identity", "x", "y")], "does not depend on the input"),
        ([node("Transpose", "x", "y", perm=[0, 1])], "no layers"),
        ([node("ArgMax", "", "y")], "does not depend on the input"),
        ([node("Softmax", "", "s"), node("Reshape", "s shape", "y")], "does not depend"),
    ],
)
def test_models_that_compute_nothing_are_rejected(
    tmp_path: Path, nodes: list[NodeProto], words: str
) -> None:
    model = make_model(nodes, {"c": floats(4), "d": floats(4), "shape": ints([1])}, [1, 4])
    assert words in rejection(model, tmp_path)


def test_outsized_maps_are_rejected(tmp_path: Path) -> None:
    constants = {"p": ints([0, 0, 30_000, 30_000, 0, 0, 0, 0])}
    message = rejection(make_model([node("Pad", "x p", "y")], constants, [1, 1, 4, 4]), tmp_path)
    assert "tensors must have at most" in message


@pytest.mark.shared
def test_published_cifar10_network_gives_the_published_scores() -> None:
    model = _SHARED / "models" / "cnv_w1a1_cifar10.onnx"
    if not model.exists():
        pytest.skip("needs ../shared/models, which is not part of the project")
    with np.load(_SHARED / "data" / "cifar10" / "test.npz") as data:
        pixels = data["images"][:100].astype(np.float64)
    with np.load(_SHARED / "models" / "cnv_w1a1_cifar10_expected.npz") as data:
        expected = data["scores"][:100]
    scaled = np.floor((2 * pixels / 255 - 1) * 128 + 0.5).clip(-128, 127).astype(np.float32)
    assert np.array_equal(evaluate_output(import_model(model), scaled), expected)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["tfc_w1a1_qonnx", "brevitas_cnv_w1a1"])
def test_quantised_dialects_are_named_as_unsupported(name: str) -> None:
    model = _SHARED / "models" / f"{name}.onnx"
    if not model.exists():
        pytest.skip("needs ../shared/models, which is not part of the project")
    with pytest.raises(ModelError, match="BipolarQuant of domain"):
        import_model(model)
