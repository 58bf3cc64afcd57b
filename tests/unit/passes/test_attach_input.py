from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import UsageError
from mcubnn.ir.types import DType
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.passes.attach_input import NORMALISATION, attach_input
from tests.unit.passes.networks import network, operator_names, pixels, real_dense

_NORMALISED = InputOptions(scale=1 / 255, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))


def test_pixels_are_normalised_per_channel() -> None:
    graph = attach_input(network((4, 4, 3), real_dense((4, 4, 3), 5)), _NORMALISED)
    images = pixels(graph)
    expected = (images / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.4]
    found = evaluate_graph(graph, images)[NORMALISATION]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
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
