from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from mcubnn.frontend.importer import import_model
from mcubnn.ir.graph import Graph
from mcubnn.ir.types import Array
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Add
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph, evaluate_output
from tests.models.torch_zoo import Case, export, zoo

_IMAGES = 24
_CASES = {case.name: case for case in zoo()}
_EXPORTERS = {"dynamo": True, "legacy": False}

Exported = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Path of a network written by one of the exporters; each is exported once."""
    folder = tmp_path_factory.mktemp("zoo")

    def path_of(name: str, exporter: str) -> Path:
        path = folder / exporter / f"{name}.onnx"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            export(_CASES[name], path, dynamo=_EXPORTERS[exporter])
        return path

    return path_of


def _run_onnx(path: Path, inputs: Array) -> Array:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: row[None]})[0] for row in inputs]
    return np.concatenate(rows)


def _channels_last(inputs: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(inputs, 1, -1)) if inputs.ndim == 4 else inputs


def _log_softmax(scores: Array) -> Array:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _as_reported(graph: Graph, scores: Array) -> Array:
    """Scores after the operators that the importer dropped."""
    for note in graph.notes:
        if note.text.startswith("LogSoftmax"):
            scores = _log_softmax(scores)
        elif note.text.startswith("Softmax"):
            scores = np.exp(_log_softmax(scores))
    return scores


@pytest.mark.parametrize("exporter", _EXPORTERS)
@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_imported_graph_computes_what_onnxruntime_computes(
    case: Case, exporter: str, exported: Exported
) -> None:
    _check(case, exported(case.name, exporter))


@pytest.mark.parametrize("exporter", _EXPORTERS)
@pytest.mark.parametrize("name", ["one_channel", "learned_bias", "vector"])
@pytest.mark.parametrize("options", [{"dynamic_batch": True}, {"optimize": False}], ids=str)
def test_export_options_do_not_change_the_meaning(
    name: str, exporter: str, options: dict[str, bool], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export(_CASES[name], path, dynamo=_EXPORTERS[exporter], **options)
    _check(_CASES[name], path)


def _check(case: Case, path: Path) -> None:
    """Compare the imported file with onnxruntime on random images."""
    inputs = case.inputs(case.pixels(_IMAGES))
    expected = _run_onnx(path, inputs)
    graph = import_model(path)
    scores = _as_reported(graph, evaluate_output(graph, _channels_last(inputs)))
    assert np.array_equal(scores.argmax(axis=1), expected.argmax(axis=1))
    if case.exact:
        assert np.array_equal(scores, expected)
    else:
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_activations_are_balanced(case: Case, exported: Exported) -> None:
    graph = import_model(exported(case.name, "dynamo"))
    tensors = evaluate_graph(graph, _channels_last(case.inputs(case.pixels(_IMAGES))))
    bits = [tensors[node.result] for node in graph.nodes if isinstance(node.op, Sign)]
    assert all(0.2 < np.mean(values > 0) < 0.8 for values in bits)


@pytest.mark.parametrize("exporter", _EXPORTERS)
@pytest.mark.parametrize("name", ["irnet", "bireal", "xnor", "detached", "learned_bias"])
def test_binary_weights_have_one_magnitude_per_channel(
    name: str, exporter: str, exported: Exported
) -> None:
    graph = import_model(exported(name, exporter))
    layers = [node.op for node in graph.nodes if isinstance(node.op, Conv2d)]
    for layer in layers[1:]:
        magnitudes = np.abs(layer.weights).reshape(layer.weights.shape[0], -1)
        # 2e-7 where the exporter folded the residue itself
        np.testing.assert_allclose(magnitudes.min(axis=1), magnitudes.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize("exporter", _EXPORTERS)
def test_learned_bias_is_one_value_per_channel(exporter: str, exported: Exported) -> None:
    graph = import_model(exported("learned_bias", exporter))
    biases = [node.op.constant.shape for node in graph.nodes if isinstance(node.op, Add)]
    assert biases == [(16,), (33,)]


@pytest.mark.parametrize("exporter", _EXPORTERS)
def test_bits_by_a_cast_leave_only_the_sign(exporter: str, exported: Exported) -> None:
    graph = import_model(exported("vector", exporter))
    names = [node.op.name for node in graph.nodes if node.op.name != "batch_norm"]
    assert names == ["dense", "sign", "dense", "sign", "dense"]
    assert [node.op.at_zero for node in graph.nodes if isinstance(node.op, Sign)] == [-1, -1]


@pytest.mark.parametrize("exporter", _EXPORTERS)
def test_stored_binary_weights_survive_the_merge_of_batch_norm(
    exporter: str, exported: Exported
) -> None:
    graph = import_model(exported("stored", exporter))
    for node in graph.nodes:
        if isinstance(node.op, Conv2d | Dense):
            magnitudes = np.abs(node.op.weights).reshape(node.op.weights.shape[0], -1)
            np.testing.assert_allclose(magnitudes.min(axis=1), magnitudes.max(axis=1), rtol=1e-5)
