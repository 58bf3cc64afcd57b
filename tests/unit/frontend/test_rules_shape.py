from __future__ import annotations

from pathlib import Path

import pytest
from onnx import NodeProto

from mcubnn.artifacts import InputLayout
from mcubnn.errors import UsageError
from mcubnn.frontend.importer import import_model
from mcubnn.ir.types import Array
from mcubnn.ops.defs.shape import Flatten
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

_MAP = [1, 3, 9, 8]
_SHAPES: list[tuple[list[NodeProto], dict[str, Array], list[int], list[str]]] = [
    ([node("Flatten", "x", "y")], {}, [1, 3, 4, 5], ["flatten"]),
    ([node("Flatten", "x", "y", axis=0)], {}, [1, 3, 4, 5], ["flatten"]),
    ([node("Reshape", "x s", "y")], {"s": ints([1, -1])}, [1, 3, 4, 5], ["flatten"]),
    ([node("Reshape", "x s", "y")], {"s": ints([0, 60])}, [1, 3, 4, 5], ["flatten"]),
    ([node("Reshape", "x s", "y")], {"s": ints([-1, 60])}, [1, 3, 4, 5], ["flatten"]),
    ([node("Reshape", "x s", "m"), node("Relu", "m", "y")], {"s": ints([1, 1, 4, 5])},
     [1, 20], ["clip"]),
    ([node("Reshape", "x s", "m"), node("Flatten", "m", "y")], {"s": ints([1, 4, 5, 1])},
     [1, 20], ["flatten"]),
    ([node("Squeeze", "x a", "m"), node("Relu", "m", "y")], {"a": ints([2, 3])},
     [1, 3, 1, 1], ["flatten", "clip"]),
    ([node("Unsqueeze", "x a", "m"), node("Relu", "m", "y")], {"a": ints([2, 3])},
     [1, 3], ["clip"]),
    ([node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Add", "t c", "a"),
      node("Flatten", "a", "y")], {"c": floats(3)}, [1, 3, 4, 5], ["add", "flatten"]),
    ([node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Add", "t c", "a"),
      node("Transpose", "a", "b", perm=[0, 3, 1, 2]), node("Conv", "b w", "y")],
     {"c": floats(4, 5, 1), "w": floats(2, 3, 3, 3)}, [1, 3, 4, 5], ["add", "conv2d"]),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "constants", "shape", "expected"), _SHAPES)
def test_rearrangements_mean_what_onnx_means(
    tmp_path: Path,
    nodes: list[NodeProto],
    constants: dict[str, Array],
    shape: list[int],
    expected: list[str],
) -> None:
    model = make_model([*nodes], constants, shape)
    assert ops(import_checked(model, tmp_path)) == expected


@pytest.mark.parametrize(
    ("nodes", "shape", "words"),
    [
        ([node("Reshape", "x s", "y")], [1, 3, 4, 5], "must flatten a map or only"),
        ([node("Reshape", "x x", "y")], [1, 3, 4, 5], "sequential"),
        (
            [node("Transpose", "x", "t", perm=[0, 3, 2, 1]), node("Flatten", "t", "y")],
            [1, 3, 4, 5],
            "in the order",
        ),
        (
            [node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("MaxPool", "t", "y",
             kernel_shape=[1, 1])],
            [1, 3, 4, 5],
            "reads a map [1, channels, height, width]",
        ),
    ],
)  # fmt: skip
def test_rearrangements_that_cannot_be_compiled_name_the_rule(
    tmp_path: Path, nodes: list[NodeProto], shape: list[int], words: str
) -> None:
    model = make_model(nodes, {"s": ints([1, 4, 3, 5])}, shape)
    assert words in rejection(model, tmp_path)


def test_channels_last_input_is_recognised_by_its_transpose(tmp_path: Path) -> None:
    nodes = [
        node("Mul", "x scale", "m"),
        node("Transpose", "m", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c"),
        node("Transpose", "c", "u", perm=[0, 2, 3, 1]),
        node("Flatten", "u", "y"),
    ]
    constants = {"scale": f32(0.5), "w": floats(4, 3, 3, 3)}
    model = make_model(nodes, constants, [1, 8, 7, 3])
    graph = import_checked(model, tmp_path, channels_last=True)
    assert graph.tensors["x"].shape == (8, 7, 3)
    assert ops(graph) == ["mul", "conv2d", "flatten"]
    assert isinstance(graph.nodes[2].op, Flatten)
    assert not graph.nodes[2].op.channels_first


@pytest.mark.parametrize(
    ("shape", "expected"),
    [([1, 28, 28, 1], (28, 28, 1)), ([1, 1, 28, 28], (28, 28, 1)), ([1, 3, 8, 9], (8, 9, 3))],
)
def test_layout_of_an_input_that_is_only_flattened_follows_from_its_sizes(
    tmp_path: Path, shape: list[int], expected: tuple[int, ...]
) -> None:
    model = make_model([node("Flatten", "x", "y")], {}, shape)
    graph = import_model(save(model, tmp_path))
    assert graph.tensors["x"].shape == expected


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ([1, 3, 8, 9], InputLayout.NHWC, (3, 8, 9)),
        ([1, 28, 28, 3], InputLayout.NCHW, (28, 3, 28)),
        ([1, 4, 4, 4], InputLayout.NHWC, (4, 4, 4)),
    ],
)
def test_user_says_the_layout(
    tmp_path: Path, shape: list[int], layout: InputLayout, expected: tuple[int, ...]
) -> None:
    model = make_model([node("Flatten", "x", "y")], {}, shape)
    graph = import_model(save(model, tmp_path), layout)
    assert graph.tensors["x"].shape == expected
    assert not graph.notes
    flatten = graph.nodes[0].op
    assert isinstance(flatten, Flatten)
    assert flatten.channels_first == (layout is InputLayout.NCHW)


@pytest.mark.parametrize(
    ("shape", "layout", "other"), [([1, 3, 8, 9], "nchw", "nhwc"), ([1, 8, 9, 3], "nhwc", "nchw")]
)
def test_guessed_layout_is_noted(tmp_path: Path, shape: list[int], layout: str, other: str) -> None:
    path = save(make_model([node("Flatten", "x", "y")], {}, shape), tmp_path)
    (note,) = import_model(path).notes
    assert note.node == "x"
    assert f"is taken as {layout}, channels 3" in note.text
    assert note.text.endswith(f"--input-layout {other}")


def test_one_channel_needs_no_note(tmp_path: Path) -> None:
    path = save(make_model([node("Flatten", "x", "y")], {}, [1, 1, 8, 9]), tmp_path)
    assert not import_model(path).notes


@pytest.mark.parametrize(
    ("nodes", "shape", "words"),
    [
        ([node("Conv", "x w", "y")], [1, 3, 8, 9], "reads its input .* as nchw"),
        ([node("Relu", "x", "y")], [1, 12], "no map of channels"),
        ([node("Relu", "x", "y")], [1, 12, 7], "no map of channels"),
    ],
)
def test_layout_that_the_network_contradicts(
    tmp_path: Path, nodes: list[NodeProto], shape: list[int], words: str
) -> None:
    path = save(make_model(nodes, {"w": floats(2, 3, 3, 3)}, shape), tmp_path)
    with pytest.raises(UsageError, match=f"--input-layout nhwc: .*{words}"):
        import_model(path, InputLayout.NHWC)


def test_images_without_channel_axis_have_one_channel(tmp_path: Path) -> None:
    nodes = [node("Unsqueeze", "x a", "m"), node("Conv", "m w", "y")]
    constants = {"a": ints([1]), "w": floats(2, 1, 3, 3)}
    model = make_model(nodes, constants, [1, 8, 9])
    graph = import_model(save(model, tmp_path))
    assert graph.tensors["x"].shape == (8, 9, 1)
    assert graph.tensors[graph.output].shape == (6, 7, 2)
