from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mcubnn.artifacts import InputLayout, InputOptions
from mcubnn.ir.types import DType, TensorType
from mcubnn.validate.dataset import load_dataset
from mcubnn.validate.float_model import float_classes, normalise

ROOT = Path(__file__).parents[3]
IMAGES = np.random.default_rng(5).integers(0, 256, (9, 2, 3, 4), dtype=np.uint8)
SCALED = InputOptions(scale=1 / 255, mean=(0.1, 0.2, 0.3, 0.4), std=(0.5, 1.0, 1.5, 2.0))


def write_model(path: Path, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Path:
    """A model whose scores are its flattened input."""
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["f", "flat"], ["y"]),
    ]
    batch = shape[0]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, "scores"])],
        [numpy_helper.from_array(np.array([0, -1], np.int64), "flat")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def expected_classes(values: np.ndarray) -> list[int]:
    classes: list[int] = np.argmax(values.reshape(len(values), -1), axis=1).tolist()
    return classes


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_images_are_scaled_and_moved_to_nchw(tmp_path: Path, batch: int | str) -> None:
    path = write_model(tmp_path / "m.onnx", [batch, 4, 2, 3])
    found = float_classes(path, IMAGES, SCALED)
    assert found.engine.startswith("onnxruntime ")
    assert found.classes is not None
    moved = normalise(IMAGES, SCALED).transpose(0, 3, 1, 2)
    assert found.classes.tolist() == expected_classes(moved)


@pytest.mark.parametrize("shape", [["n", 2, 3, 4], ["n", "h", 3, 4]])
def test_a_model_that_reads_nhwc_gets_it(tmp_path: Path, shape: list[int | str]) -> None:
    found = float_classes(write_model(tmp_path / "m.onnx", shape), IMAGES, SCALED)
    assert found.classes is not None
    assert found.classes.tolist() == expected_classes(normalise(IMAGES, SCALED))


def test_a_model_that_reads_bytes_gets_them_raw(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", [1, 2, 3, 4], TensorProto.UINT8)
    found = float_classes(path, IMAGES, SCALED)
    assert found.classes is not None
    assert found.classes.tolist() == expected_classes(IMAGES)


@pytest.mark.parametrize("shape", [["n", 6], ["n", 1, 2, 3], ["n", 1, 6]])
def test_one_channel_is_reshaped(tmp_path: Path, shape: list[int | str]) -> None:
    grey = IMAGES[..., :1]
    found = float_classes(write_model(tmp_path / "m.onnx", shape), grey, InputOptions())
    assert found.classes is not None
    assert found.classes.tolist() == expected_classes(grey)


def test_an_input_that_does_not_fit_is_a_reason_not_an_error(tmp_path: Path) -> None:
    found = float_classes(write_model(tmp_path / "m.onnx", ["n", 7]), IMAGES, InputOptions())
    assert found.classes is None
    assert "does not fit images [2, 3, 4]" in found.engine


@pytest.mark.parametrize("layout", InputLayout)
def test_layout_tells_where_sizes_do_not(tmp_path: Path, layout: InputLayout) -> None:
    cubes = np.random.default_rng(5).integers(0, 256, (9, 3, 3, 3), dtype=np.uint8)
    path = write_model(tmp_path / "m.onnx", ["n", 3, 3, 3])
    found = float_classes(path, cubes, InputOptions(layout=layout))
    fed = cubes if layout is InputLayout.NHWC else cubes.transpose(0, 3, 1, 2)
    assert found.classes is not None
    assert found.classes.tolist() == expected_classes(fed)


def test_a_file_onnxruntime_cannot_run_is_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"not a model")
    found = float_classes(path, IMAGES, InputOptions())
    assert found.classes is None
    assert found.engine.startswith("not compared: onnxruntime: ")
    assert "\n" not in found.engine


def test_normalisation_is_float32_at_every_step() -> None:
    values = normalise(np.array([[[[3]]]], np.uint8), InputOptions(scale=0.1, mean=(0.05,)))
    assert values.dtype == np.float32
    assert values[0, 0, 0, 0] == np.float32(3) * np.float32(0.1) - np.float32(0.05)


def test_the_example_reaches_its_documented_accuracy() -> None:
    example = ROOT / "examples" / "digits"
    kind = TensorType((8, 8, 1), DType.UINT8)
    data = load_dataset(example / "test.npz", kind, outputs=10)
    options = InputOptions(scale=0.0625, mean=(0.5,), std=(0.5,))
    found = float_classes(example / "digits.onnx", data.images, options)
    assert found.classes is not None, found.engine
    assert round(float(np.mean(found.classes == data.labels)), 4) == 0.9917
