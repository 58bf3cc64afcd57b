from __future__ import annotations

import numpy as np
import pytest

from mcubnn.errors import UsageError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops import exact
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.defs.unpack_bits import UnpackBits
from mcubnn.ops.evaluate import evaluate_chunks, evaluate_graph, evaluate_output
from mcubnn.ops.output_stage import ThresholdStage
from tests.unit.ops import plain


@pytest.fixture
def graph() -> Graph:
    """Three nodes; the bits are read twice."""
    weights = plain.random_signs(np.random.default_rng(1), (4, 6))
    stage = ThresholdStage(None, np.full((1, 6), 100, np.int32), np.zeros(6, np.bool_))
    nodes = (
        Node("binarize", Threshold(stage), ("pixels",), "bits"),
        Node("numbers", UnpackBits(), ("bits",), "unused"),
        Node("classify", BinaryDense(weights, plain.plain_sums(4)), ("bits",), "scores"),
    )
    tensors = {
        "pixels": TensorType((6,), DType.UINT8),
        "bits": TensorType((6,), DType.BIT),
        "unused": TensorType((6,), DType.INT8),
        "scores": TensorType((4,), DType.INT32),
    }
    return Graph("tiny", "pixels", "scores", nodes, tensors)


@pytest.fixture
def images() -> Array:
    return np.random.default_rng(2).integers(0, 255, (10, 6), np.uint8)


def test_evaluate_graph_gives_every_tensor(graph: Graph, images: Array) -> None:
    tensors = evaluate_graph(graph, images)
    assert set(tensors) == set(graph.tensors)
    np.testing.assert_array_equal(tensors["bits"], np.where(images >= 100, 1, -1))


def test_evaluate_output_in_pieces_gives_the_same(
    graph: Graph, images: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "CHUNK_BYTES", 512)
    calls: list[tuple[int, int]] = []
    scores = evaluate_output(graph, images, lambda done, total: calls.append((done, total)))
    np.testing.assert_array_equal(scores, evaluate_graph(graph, images)["scores"])
    assert len(calls) > 1
    assert calls[-1] == (10, 10)


def test_evaluate_chunks_covers_the_set(graph: Graph, images: Array) -> None:
    pieces = [tensors["scores"] for _, tensors in evaluate_chunks(graph, images)]
    np.testing.assert_array_equal(np.concatenate(pieces), evaluate_output(graph, images))


@pytest.mark.parametrize(("shape", "dtype"), [((2, 5), np.uint8), ((2, 6), np.float32)])
def test_evaluate_rejects_other_samples(
    graph: Graph, shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    with pytest.raises(UsageError, match="reads uint8"):
        evaluate_output(graph, np.zeros(shape, dtype))
