from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import UsageError
from mcubnn.ir.types import DType
from mcubnn.ops.defs.elementwise import Add, Normalize
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.passes.attach_input import NORMALISATION, attach_input
from tests.unit.passes.networks import (
    assert_same_scores,
    dense,
    f32,
    network,
    operator_names,
    pixels,
    real_dense,
)

_TIE = InputOptions(scale=1 / 255, mean=(0.5,), std=(0.5,))
_NORMALISED = InputOptions(scale=1 / 255, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))


def test_pixels_are_normalised_per_channel() -> None:
    graph = attach_input(network((4, 4, 3), real_dense((4, 4, 3), 5)), _NORMALISED)
    images = pixels(graph)
    expected = (images / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.4]
    found = evaluate_graph(graph, images)[NORMALISATION]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert graph.tensors[graph.input].dtype is DType.UINT8


def test_int8_pixels_without_normalisation_add_no_node() -> None:
    graph = attach_input(network((8,), real_dense((8,), 2)), InputOptions(DType.INT8))
    assert operator_names(graph) == ["dense"]
    assert graph.tensors["x"].dtype is DType.INT8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (InputOptions(mean=(0.1, 0.2)), r"--mean has 2 values; .* 3 channels"),
        (InputOptions(std=(1.0,) * 4), r"--std has 4 values"),
        (InputOptions(std=(0.0,)), "must not be 0"),
        (InputOptions(scale=0.0), "must not be 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: InputOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        attach_input(network((4, 4, 3), real_dense((4, 4, 3), 5)), options)


def test_normalisation_rounds_as_a_data_loader_does() -> None:
    """Each step in float32: a threshold on a pixel then falls where the framework's does."""
    graph = attach_input(network((16, 16, 1), real_dense((16, 16, 1), 5)), _TIE)
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    x = images.astype(np.float32) * np.float32(1 / 255)
    expected = (x - np.float32(0.5)) / np.float32(0.5)
    np.testing.assert_array_equal(evaluate_graph(graph, images)[NORMALISATION], expected)
    step = graph.nodes[0].op
    assert isinstance(step, Normalize)
    assert float(step.apply_exact(np.full((), 153.0))) == pytest.approx(0.2, rel=1e-15)
    assert expected.flat[153] > np.float32(0.2)


def test_threshold_of_a_pixel_at_a_tie_of_rounding() -> None:
    assert_same_scores(network((16, 16, 1), Add(f32(-0.2)), Sign(-1), dense((16, 16, 1), 4)), _TIE)
