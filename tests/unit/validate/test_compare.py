from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mcubnn.artifacts import Comparison, Difference, RunResult
from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.packing import device_bytes
from mcubnn.validate.compare import compare, first_mismatch, score_difference
from mcubnn.validate.float_model import FloatClasses
from mcubnn.validate.junit import junit_xml
from mcubnn.validate.locate import locate

REFERENCE = np.array([[1, 5, 2], [7, 0, 0], [0, 0, 9], [4, 4, 1]], np.int32)
LABELS = np.array([1, 0, 2, 1], np.int64)
NO_FRAMEWORK = FloatClasses(None, "not compared: no onnxruntime")


def result(scores: Array) -> RunResult:
    return RunResult(scores, 0.5, "host")


def test_identical_scores_have_no_mismatch() -> None:
    assert first_mismatch(REFERENCE.copy(), REFERENCE) is None
    comparison = compare(result(REFERENCE), REFERENCE, LABELS, NO_FRAMEWORK)
    assert (comparison.images, comparison.identical) == (4, 4)
    assert comparison.accuracy == 0.75  # equal scores give the first class
    assert comparison.float_agreement is None
    assert comparison.float_engine == "not compared: no onnxruntime"


def test_the_first_wrong_image_and_score_are_found() -> None:
    scores = REFERENCE.copy()
    scores[2, 1] = -3
    scores[3, 0] = 0
    assert first_mismatch(scores, REFERENCE) == 2
    assert compare(result(scores), REFERENCE, None, NO_FRAMEWORK).identical == 2
    assert score_difference(2, scores, REFERENCE, "fc", "binary_dense") == Difference(
        image=2, node="fc", operator="binary_dense", index=(1,), expected=0, found=-3
    )


def test_agreement_with_the_framework_is_a_share() -> None:
    framework = FloatClasses(np.array([1, 0, 0, 0]), "onnxruntime 1")
    comparison = compare(result(REFERENCE), REFERENCE, None, framework)
    assert comparison.float_agreement == 0.75
    assert comparison.accuracy is None


def test_score_counts_that_differ_are_a_defect() -> None:
    with pytest.raises(InternalError, match="device scores"):
        compare(result(REFERENCE[:, :2]), REFERENCE, None, NO_FRAMEWORK)


@dataclass(frozen=True, eq=False)
class AnyOp(Op):
    name: ClassVar[str] = "any_op"

    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        return sources[0]

    def evaluate(self, sources: Sequence[Array]) -> Array:
        return sources[0]


KINDS = {
    "in": TensorType((2, 2, 1), DType.UINT8),
    "a": TensorType((2, 2, 33), DType.BIT),
    "b": TensorType((2, 2, 3), DType.INT8),
    "c": TensorType((5,), DType.INT32),
}
GRAPH = Graph(
    "g",
    "in",
    "c",
    tuple(Node(f"node_{r}", AnyOp(), (s,), r) for s, r in (("in", "a"), ("a", "b"), ("b", "c"))),
    KINDS,
)
IMAGES = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)


def reference_tensors() -> dict[str, Array]:
    rng = np.random.default_rng(1)
    return {
        "a": (rng.integers(0, 2, (1, 2, 2, 33)) * 2 - 1).astype(np.int8),
        "b": rng.integers(-128, 128, (1, 2, 2, 3)).astype(np.int8),
        "c": rng.integers(-(2**31), 2**31, (1, 5)).astype(np.int32),
    }


class Device:
    """Answers traces with the reference's bytes, changed where a test says so."""

    def __init__(self) -> None:
        tensors = reference_tensors()
        self.results = [bytearray(device_bytes(tensors[t][0], KINDS[t].dtype)) for t in "abc"]
        self.asked: list[int] = []

    def trace(self, node: int, image: bytes) -> bytes:
        assert image == IMAGES[1].tobytes()
        self.asked.append(node)
        return bytes(self.results[node])


def test_locate_finds_nothing_on_a_correct_device() -> None:
    device = Device()
    assert locate(GRAPH, 1, IMAGES, reference_tensors(), device.trace) is None
    assert device.asked == [0, 1, 2]


def test_locate_finds_the_first_wrong_bit() -> None:
    device = Device()
    device.results[0][8 + 4] ^= 1  # pixel (0, 1), second word, bit 0: channel 32
    device.results[2][0] ^= 1
    found = locate(GRAPH, 1, IMAGES, reference_tensors(), device.trace)
    expected = int(reference_tensors()["a"][0, 0, 1, 32])
    assert found == Difference(1, "node_a", "any_op", (0, 1, 32), expected, -expected)
    assert device.asked == [0]


def test_locate_finds_an_unused_bit_that_is_set() -> None:
    device = Device()
    device.results[0][7] |= 0x80  # channel 63 of 33
    found = locate(GRAPH, 1, IMAGES, reference_tensors(), device.trace)
    assert found == Difference(1, "node_a", "any_op", (0, 0, 63), -1, 1)


def test_locate_names_value_and_index_of_wider_types() -> None:
    device = Device()
    device.results[2][8:12] = np.array([-5], "<i4").tobytes()
    found = locate(GRAPH, 1, IMAGES, reference_tensors(), device.trace)
    expected = int(reference_tensors()["c"][0, 2])
    assert found == Difference(1, "node_c", "any_op", (2,), expected, -5)


def test_a_result_of_another_size_is_a_defect() -> None:
    device = Device()
    del device.results[1][0]
    with pytest.raises(InternalError, match="node node_b: the device's result has 11 bytes"):
        locate(GRAPH, 1, IMAGES, reference_tensors(), device.trace)


def junit(comparison: Comparison, *limits: float | None) -> ET.Element:
    return ET.fromstring(junit_xml(comparison, "net\x00<1>", *limits))


def comparison(identical: int = 4, accuracy: float | None = 0.75) -> Comparison:
    difference = Difference(2, "fc", "binary_dense", (1,), 0, -3) if identical < 4 else None
    return Comparison(4, identical, difference, accuracy, 0.5, "onnxruntime 1", "host", 1.25)


def test_junit_has_one_case_per_check() -> None:
    suite = junit(comparison())
    assert [c.get("name") for c in suite] == ["bit_exact", "accuracy", "float_agreement"]
    assert suite.attrib == {
        "name": "mcubnn validate net?<1>",
        "tests": "3",
        "failures": "0",
        "skipped": "0",
        "time": "1.250",
    }


def test_junit_failure_says_where_the_difference_is() -> None:
    suite = junit(comparison(identical=3))
    failure = suite.find("testcase[@name='bit_exact']/failure")
    assert failure is not None
    assert failure.get("message") == "3 of 4 images are identical to the reference"
    assert failure.text == "image 2: node fc (binary_dense), index [1]: expected 0, found -3"


def test_junit_minimum_that_cannot_be_checked_fails() -> None:
    suite = junit(comparison(accuracy=None), 0.9)
    assert suite.find("testcase[@name='accuracy']/failure") is not None


def test_junit_limits_and_missing_checks() -> None:
    suite = junit(comparison(accuracy=None), None, 0.6)
    assert suite.find("testcase[@name='accuracy']/skipped") is not None
    failure = suite.find("testcase[@name='float_agreement']/failure")
    assert failure is not None
    assert failure.get("message") == "0.5000 is below 0.6000"
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")
