"""Real-valued activations inside a network: int8, with a range from data or from bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.graph import Graph
from mcubnn.ir.op import Op
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.quantize import Quantize
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.attach_input import attach_input
from mcubnn.passes.pipeline import run_passes
from mcubnn.passes.quantize_activations import quantize_activations
from tests.unit.passes.networks import (
    conv,
    dense,
    f32,
    lowered_output,
    network,
    norm,
    operator_names,
    pixels,
    real_dense,
    real_output,
    rng,
)

_OPTIONS = InputOptions(scale=1 / 255, mean=(0.5,), std=(0.25,))


def _net(*steps: Op) -> Graph:
    shape = network((8, 8, 2), conv((2, 16)), *steps).tensors
    last = list(shape.values())[-1].shape
    return network((8, 8, 2), conv((2, 16)), *steps, real_dense(last, 10))


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize(
    "steps",
    [
        (norm(16, 4.0), Clip(-1, 1)),
        (norm(16, 4.0), Clip(0, np.inf)),
        (Clip(0, np.inf), norm(16, 4.0)),
        (norm(16, 4.0), Clip(-1, 1), MaxPool(Window((2, 2), (2, 2)))),
        (norm(16, 4.0), Clip(-1, 1), Mul(f32(-2.0)), Add(f32(0.5))),
    ],
    ids=["hardtanh", "relu", "relu_then_norm", "pooled", "scaled"],
)
def test_scores_are_close_to_the_real_network(steps: tuple[Op, ...], calibrated: bool) -> None:
    graph = _net(*steps)
    images = pixels(graph, 24)
    expected = real_output(graph, images, _OPTIONS)
    found = lowered_output(graph, images, _OPTIONS, images if calibrated else None)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error < (0.03 if calibrated else 0.2)


def test_binary_layer_reads_int8_behind_hardtanh() -> None:
    steps = (norm(16, 4.0), Clip(-1, 1), conv((16, 32)), norm(32, 5.0), Sign(1))
    graph = network((8, 8, 2), conv((2, 16)), *steps, dense((4, 4, 32), 10))
    lowered = run_passes(graph, _OPTIONS)
    assert operator_names(lowered) == ["input_conv2d", "input_conv2d", "binary_dense"]
    assert [str(lowered.tensors[n.result].dtype) for n in lowered.nodes] == ["int8", "bit", "int32"]


def test_range_comes_from_calibration_or_from_bounds() -> None:
    graph = attach_input(_net(norm(16, 4.0), Clip(-1, 1)), _OPTIONS)
    for images, origin in ((pixels(graph), "16 calibration images"), (None, "interval arithmetic")):
        quantized = quantize_activations(graph, images)
        (node,) = (n for n in quantized.nodes if isinstance(n.op, Quantize))
        assert isinstance(node.op, Quantize)
        assert node.op.scale <= 1 / 127 * (1 + 1e-6)
        assert origin in quantized.notes[0].text


def test_data_free_bounds_hold_for_every_image() -> None:
    graph = attach_input(_net(norm(16, 4.0), Clip(0, np.inf)), _OPTIONS)
    bounded = quantize_activations(graph, None)
    seen = quantize_activations(graph, pixels(graph, 64))
    scales = [n.op.scale for g in (bounded, seen) for n in g.nodes if isinstance(n.op, Quantize)]
    assert scales[0] >= scales[1]


def test_constants_per_position_in_front_of_a_real_network() -> None:
    """A mean image is subtracted, and a later layer needs bounds."""
    mean_image = Add(f32(rng().normal(size=(8, 8, 2))))
    graph = network(
        (8, 8, 2), mean_image, conv((2, 16), pad=1), Clip(-1, 1), real_dense((8, 8, 16), 10)
    )
    lowered = run_passes(graph, _OPTIONS)
    assert operator_names(lowered)[-1] == "int8_dense"


def test_layers_of_bits_and_pixels_are_left_alone() -> None:
    graph = network((8, 8, 2), conv((2, 16)), norm(16, 9.0), Sign(1), dense((6, 6, 16), 10))
    attached = attach_input(graph, _OPTIONS)
    assert quantize_activations(attached, None) is attached


def test_activation_of_zeros_quantizes_with_scale_one() -> None:
    graph = attach_input(_net(Mul(f32(0.0)), Clip(-1, 1)), _OPTIONS)
    quantized = quantize_activations(graph, pixels(graph))
    (scale,) = (n.op.scale for n in quantized.nodes if isinstance(n.op, Quantize))
    assert scale == pytest.approx(1 / 127)


def test_infinite_range_is_refused() -> None:
    graph = attach_input(_net(Mul(f32(3e38)), Clip(0, np.inf)), _OPTIONS)
    images = pixels(graph)
    with np.errstate(over="ignore"), pytest.raises(ModelError, match="no finite bound"):
        quantize_activations(graph, images)


def test_data_free_range_follows_the_batch_norm_before_it() -> None:
    """Interval arithmetic alone would give a range as wide as the sum of all weights."""
    real = replace(conv((8, 4), seed=3), weights=f32(rng(5).normal(size=(4, 3, 3, 8))))
    steps = (norm(8, 400.0), Clip(0.0, float("inf")), real, norm(4, 9.0), Sign(1))
    graph = network((9, 9, 3), conv((3, 8)), *steps, dense((5, 5, 4), 10))
    notes = [note.text for note in run_passes(graph, InputOptions()).notes]
    assert any("batch-norm statistics" in text for text in notes), notes
