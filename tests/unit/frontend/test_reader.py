from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mcubnn.errors import ModelError
from mcubnn.frontend import tensors
from mcubnn.frontend.importer import import_model
from mcubnn.frontend.reader import read_onnx
from tests.unit.frontend.onnx_models import binary_dense, import_checked, node, rejection, save

_VALID = binary_dense().SerializeToString()


def _error(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        import_model(path)
    return f"{caught.value.message}\n{caught.value.hint}"


def _error_of_bytes(folder: Path, data: bytes) -> str:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return _error(path)


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (_zip(), "PyTorch checkpoint"),
        (b"\x80\x02}q\x00.", "pickle"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(40), "TensorFlow Lite"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"import torch\n\nclass Net(torch.nn.Module):\n", "text file"),
        (b"\x40\x00\x00\x00\x00\x00\x00\x00{\"weight\": 1}", "safetensors"),
        (bytes(range(255, 100, -1)), "damaged"),
        (_VALID[: len(_VALID) // 2], "truncated"),
        (b"\x08\x08", "no graph"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_a_model_are_named(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in _error_of_bytes(tmp_path, data)


def test_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in _error(tmp_path / "absent.onnx")


def test_path_with_null_byte_is_rejected() -> None:
    assert "cannot be read" in _error(Path("model\0.onnx"))


def test_directory_is_named(tmp_path: Path) -> None:
    assert "directory" in _error(tmp_path)


@pytest.mark.parametrize(("opset", "ok"), [(6, False), (7, True), (13, True), (999, False)])
def test_operator_set_is_checked(tmp_path: Path, opset: int, ok: bool) -> None:
    model = binary_dense()
    model.opset_import[0].version = opset
    if ok:
        import_model(save(model, tmp_path))
    else:
        assert f"operator set {opset}" in rejection(model, tmp_path)


@pytest.mark.parametrize("version", [1, 99])
def test_file_version_is_checked(tmp_path: Path, version: int) -> None:
    model = binary_dense()
    model.ir_version = version
    assert f"file version {version}" in rejection(model, tmp_path)


def test_two_inputs_are_rejected(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1]))
    assert "one input; found 2: x, mask" in rejection(model, tmp_path)


def test_initializer_among_the_inputs_is_no_input(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.input.append(helper.make_tensor_value_info("w0", TensorProto.FLOAT, [8, 18]))
    import_model(save(model, tmp_path))


def test_two_outputs_are_rejected(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.output.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, None))
    assert "one output; found 2: y, s" in rejection(model, tmp_path)


@pytest.mark.parametrize("batch", [1, 0, -1, 64])
def test_batch_may_have_any_size(tmp_path: Path, batch: int) -> None:
    model = binary_dense()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    graph = import_model(save(model, tmp_path))
    assert graph.tensors["x"].shape == (3, 3, 2)


def test_symbolic_size_is_named(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    message = rejection(model, tmp_path)
    assert "axis 2 is height" in message


def test_input_without_batch_axis_is_rejected(tmp_path: Path) -> None:
    model = binary_dense()
    del model.graph.input[0].type.tensor_type.shape.dim[1:]
    assert "1 axes" in rejection(model, tmp_path)


def test_integer_input_is_rejected(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    assert "element type UINT8" in rejection(model, tmp_path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_counted(tmp_path: Path, bad: float) -> None:
    model = binary_dense()
    weights = np.ones((8, 18), np.float32)
    weights[2, 3:5] = bad
    model.graph.initializer[0].raw_data = weights.tobytes()
    assert "w0: 2 of 144 values" in rejection(model, tmp_path)


def _initializer(model: onnx.ModelProto) -> onnx.TensorProto:
    return model.graph.initializer[0]


def _shorten(model: onnx.ModelProto) -> None:
    _initializer(model).raw_data = _initializer(model).raw_data[:-4]


def _enlarge(model: onnx.ModelProto) -> None:
    _initializer(model).dims[0] = 1 << 40


def _negate(model: onnx.ModelProto) -> None:
    _initializer(model).dims[0] = -8


def _retype(model: onnx.ModelProto) -> None:
    _initializer(model).data_type = TensorProto.STRING


def _miscount(model: onnx.ModelProto) -> None:
    _initializer(model).ClearField("raw_data")
    _initializer(model).float_data.extend([1.0, 2.0])


def _duplicate(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(_initializer(model))


def _write_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(node("Relu", "z", "s"))


def _reorder(model: onnx.ModelProto) -> None:
    model.graph.node.insert(0, node("Relu", "z", "early"))


def _lose_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "nowhere"


def _empty(model: onnx.ModelProto) -> None:
    del model.graph.node[:]


def _sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_shorten, "tensor w0: shape (8, 18) needs 576 bytes, the file has 572"),
        (_enlarge, "tensor w0: with it the constants exceed 1024 MiB"),
        (_negate, "tensor w0: its shape (-8, 18) is invalid"),
        (_retype, "tensor w0: its element type STRING is not supported"),
        (_miscount, "tensor w0: its values do not match shape (8, 18)"),
        (_duplicate, "initializer name 'w0' is not unique"),
        (_write_twice, "node node_s_4 writes s a second time"),
        (_reorder, "node node_early reads z, which no earlier node writes"),
        (_lose_output, "no node writes the output nowhere"),
        (_empty, "no nodes"),
        (_sparse, "sparse initializers"),
    ],
)
def test_inconsistent_models_are_rejected(
    tmp_path: Path, damage: Callable[[onnx.ModelProto], None], words: str
) -> None:
    model = binary_dense()
    damage(model)
    assert words in rejection(model, tmp_path)


def _external(
    folder: Path, location: str, entries: dict[str, str] | None = None
) -> onnx.ModelProto:
    """The valid model with its first weights in another file."""
    model = binary_dense()
    tensor = _initializer(model)
    (folder / "weights.bin").write_bytes(bytes(16) + tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in ({"location": location, "offset": "16"} | (entries or {})).items():
        tensor.external_data.add(key=key, value=value)
    return model


def test_external_data_is_read(tmp_path: Path) -> None:
    graph = import_model(save(_external(tmp_path, "weights.bin", {"length": "576"}), tmp_path))
    embedded = import_model(save(binary_dense(), tmp_path))
    assert np.array_equal(graph.nodes[1].op.weights, embedded.nodes[1].op.weights)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "location",
    ["/etc/passwd", "../weights.bin", "a/../../weights.bin", "", ".", "C:\\w.bin", "..\\w.bin",
     "weights\0.bin", "\\\\host\\share\\w.bin"],
)  # fmt: skip
def test_external_data_outside_the_folder_is_rejected(tmp_path: Path, location: str) -> None:
    assert "not a file inside the model's folder" in rejection(
        _external(tmp_path, location), tmp_path
    )


def test_external_data_behind_a_link_out_of_the_folder_is_rejected(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(1024))
    (folder / "link.bin").symlink_to(tmp_path / "secret")
    assert "not a file inside" in rejection(_external(folder, "link.bin"), folder)


def test_external_data_from_a_pipe_is_rejected(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a file inside" in rejection(_external(tmp_path, "pipe"), tmp_path)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"length": "575"}, "needs 576 bytes"),
        ({"offset": "17"}, "which has 592"),
        ({"offset": "-16"}, "offset '-16' is invalid"),
        ({"length": "9" * 30}, "is invalid"),
        ({"location": "absent.bin"}, "cannot be read"),
    ],
)
def test_external_data_is_checked_against_the_file(
    tmp_path: Path, entries: dict[str, str], words: str
) -> None:
    assert words in rejection(_external(tmp_path, "weights.bin", entries), tmp_path)


def test_constants_have_a_total_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "MAX_CONSTANT_BYTES", 600)
    assert "tensor b0: with it the constants exceed" in rejection(binary_dense(), tmp_path)


def _with_function(body: list[onnx.NodeProto], name: str = "binarize") -> onnx.ModelProto:
    model = binary_dense()
    model.opset_import.append(helper.make_opsetid("local", 1))
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model.functions.append(helper.make_function("local", name, ["a"], ["b"], body, sets))
    model.graph.node[2].op_type = name
    model.graph.node[2].domain = "local"
    return model


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    body = [helper.make_node("Identity", ["a"], ["c"]), helper.make_node("Sign", ["c"], ["b"])]
    import_checked(_with_function(body), tmp_path)


def test_function_that_calls_itself_is_rejected(tmp_path: Path) -> None:
    body = [helper.make_node("binarize", ["a"], ["b"], domain="local")]
    assert "calls itself" in rejection(_with_function(body), tmp_path)


def test_functions_that_expand_exponentially_are_rejected(tmp_path: Path) -> None:
    model = _with_function([helper.make_node("Sign", ["a"], ["b"])])
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    called = "binarize"
    for level in range(40):
        body = [
            helper.make_node(called, ["a"], ["c"], domain="local"),
            helper.make_node(called, ["c"], ["b"], domain="local"),
        ]
        called = f"level{level}"
        model.functions.append(helper.make_function("local", called, ["a"], ["b"], body, sets))
    model.graph.node[2].op_type = called
    assert "expand to more than" in rejection(model, tmp_path)


def test_names_cannot_reach_the_terminal_unescaped(tmp_path: Path) -> None:
    model = binary_dense()
    model.graph.node[2].op_type = "Evil\x1b[2J\n"
    message = rejection(model, tmp_path)
    assert "\x1b" not in message
    assert "Evil?[2J?" in message


def test_nodes_without_name_are_named_after_operator_and_index(tmp_path: Path) -> None:
    model = binary_dense()
    for proto in model.graph.node:
        proto.name = ""
    raw = read_onnx(save(model, tmp_path))
    assert [n.name for n in raw.nodes] == ["Flatten_0", "Gemm_1", "Sign_2", "Gemm_3"]
