"""Every network of the torch zoo: framework, integer reference, C on the host and on QEMU agree."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ops.evaluate import evaluate_output
from mcubnn.run.session import make_runner, stream
from mcubnn.validate.float_model import float_classes
from tests.e2e.zoo import CASES, EXPORTERS, Workshop, images

_IMAGES = 32
_QEMU_IMAGES = 6
_BOARDS = ("qemu-mps2-an385", "qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps3-an547")


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", CASES)
def test_classes_equal_those_of_onnxruntime(name: str, exporter: str, workshop: Workshop) -> None:
    compiled = workshop.compiled(name, exporter)
    pixels = images(compiled.case, _IMAGES)
    framework = float_classes(compiled.path, pixels, compiled.model.input)
    scores = evaluate_output(compiled.model.graph, pixels)
    assert framework.classes is not None, framework.engine
    np.testing.assert_array_equal(scores.argmax(axis=1), framework.classes)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", CASES)
def test_host_program_equals_the_reference(name: str, exporter: str, workshop: Workshop) -> None:
    compiled = workshop.compiled(name, exporter)
    made = workshop.generated(compiled, "host")
    pixels = images(compiled.case, _IMAGES)
    firmware = workshop.host(made, f"{name}_{exporter}")
    with make_runner(firmware, None) as runner:
        result = stream(runner, pixels, made.program.model_hash)
    np.testing.assert_array_equal(result.scores, evaluate_output(compiled.model.graph, pixels))


@pytest.mark.target
@pytest.mark.parametrize(("index", "name"), list(enumerate(CASES)), ids=list(CASES))
def test_firmware_equals_the_reference(index: int, name: str, workshop: Workshop) -> None:
    compiled = workshop.compiled(name, "dynamo")
    made = workshop.generated(compiled, _BOARDS[index % len(_BOARDS)])
    pixels = images(compiled.case, _QEMU_IMAGES)
    firmware = workshop.firmware(made, f"{name}_{made.board.id}")
    with make_runner(firmware, made.board) as runner:
        result = stream(runner, pixels, made.program.model_hash)
    np.testing.assert_array_equal(result.scores, evaluate_output(compiled.model.graph, pixels))


@pytest.mark.parametrize("name", CASES)
def test_both_exporters_lead_to_the_same_operators(name: str, workshop: Workshop) -> None:
    graphs = [workshop.compiled(name, exporter).model.graph for exporter in EXPORTERS]
    kinds = [
        [(node.op.name, graph.tensors[node.result]) for node in graph.nodes] for graph in graphs
    ]
    assert kinds[0] == kinds[1]
