"""Real layers become integer layers: the float graph and the lowered graph give the same scores."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ir.types import DType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Add, Div, Mul
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.int8_conv2d import Int8Conv2d
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import (
    assert_same_scores,
    conv,
    dense,
    f32,
    has_real_steps,
    lowered_output,
    network,
    norm,
    operator_names,
    pixels,
    real_output,
    rng,
    signs,
)

_PER_CHANNEL = InputOptions(scale=1 / 255, mean=(0.49, 0.48, 0.45), std=(0.25, 0.125, 0.5))


def _two_layers(first: Conv2d, *between: Op) -> list[Op]:
    shape = network((7, 7, 3), first).tensors["conv2d_0"].shape
    channels = shape[2]
    return [first, *between, norm(channels, 9.0), Sign(1), dense(shape, 10, seed=3)]


@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        InputOptions(),
        InputOptions(DType.INT8),
        InputOptions(scale=1 / 255, mean=(0.5,), std=(0.5,)),
        _PER_CHANNEL,
    ],
    ids=["uint8", "int8", "uniform", "per_channel"],
)
def test_input_layer_with_normalisation_and_zero_padding(
    options: InputOptions, stride: int, pad: int
) -> None:
    """Zero padding of normalised pixels: outside the map x is 0, not -mean / std."""
    spread = 400.0 if options.scale == 1 else 9.0
    layer = conv((3, 16), pad=pad, stride=stride)
    shape = network((7, 7, 3), layer).tensors["conv2d_0"].shape
    ops = (layer, norm(16, spread), Sign(1), dense(shape, 10, seed=3))
    lowered = assert_same_scores(network((7, 7, 3), *ops), options)
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]
    first = lowered.nodes[0].op
    assert isinstance(first, InputConv2d)
    assert (first.stage.position_class is not None) == (pad > 0 and any(options.mean))
    assert (first.channel_multipliers is not None) == (options is _PER_CHANNEL)


@pytest.mark.parametrize("options", [InputOptions(), _PER_CHANNEL], ids=["plain", "per_channel"])
def test_dense_input_layer_with_normalisation(options: InputOptions) -> None:
    spread = 2000.0 if options.scale == 1 else 40.0
    ops = (dense((7, 7, 3), 16), norm(16, spread), Sign(1), dense((16,), 10, seed=3))
    lowered = assert_same_scores(network((7, 7, 3), *ops), options)
    first = lowered.nodes[0].op
    assert isinstance(first, InputDense)
    assert (first.channel_multipliers is not None) == (options is _PER_CHANNEL)


@pytest.mark.parametrize("pad_value", [0.0, 1.0, -1.0, 0.5])
def test_binary_layer_with_padding(pad_value: float) -> None:
    second = conv((8, 33), pad=1, pad_value=pad_value, seed=5)
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), second, norm(33, 8.0), Sign(1))
    lowered = assert_same_scores(network((7, 7, 3), *ops, dense((5, 5, 33), 10)))
    layer = lowered.nodes[1].op
    assert isinstance(layer, BinaryConv2d)
    assert layer.pad_value == (0 if pad_value == 0.5 else int(pad_value))
    assert (layer.stage.position_class is not None) == (pad_value == 0.5)


@pytest.mark.parametrize("channels", [1, 31, 32, 33, 64])
def test_channels_around_the_word_size(channels: int) -> None:
    ops = (
        *(conv((3, channels)), norm(channels, 400.0), Sign(-1)),
        *(conv((channels, channels), pad=1), norm(channels, 9.0), Sign(1)),
        dense((5, 5, channels), 10),
    )
    assert_same_scores(network((7, 7, 3), *ops))


def test_bits_scaled_and_shifted_in_front_of_a_layer() -> None:
    """0 / 1 activations: (bit + 1) / 2, with zero padding of the real values."""
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), Add(f32(1.0)), Div(f32(2.0)))
    second = (conv((8, 16), pad=1), norm(16, 4.0), Sign(1), dense((5, 5, 16), 10))
    lowered = assert_same_scores(network((7, 7, 3), *ops, *second))
    assert not has_real_steps(lowered)


def test_factor_per_bit_channel_makes_the_next_layer_int8() -> None:
    factors = f32([1, 2, 3, 4, 5, 6, 7, 127])
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), Mul(factors), conv((8, 16)))
    lowered = assert_same_scores(
        network((7, 7, 3), *ops, norm(16, 99.0), Sign(1), dense((3, 3, 16), 10))
    )
    assert operator_names(lowered)[1:3] == ["unpack_bits", "int8_conv2d"]
    assert any("stored as int8, not as bits" in note.text for note in lowered.notes)


@pytest.mark.parametrize("scale", [0.02, -0.02])
def test_batch_norm_fused_into_binary_weights(scale: float) -> None:
    factors = f32(scale * rng(2).uniform(0.5, 2, 16) * rng(3).choice([-1, 1], 16))
    fused = Conv2d(
        signs(16, 3, 3, 3) * factors[:, None, None, None],
        f32(rng().normal(0, 5, 16)),
        Window((3, 3)),
    )
    ops = (fused, Sign(1), dense((5, 5, 16), 10))
    lowered = assert_same_scores(network((7, 7, 3), *ops))
    assert operator_names(lowered) == ["input_conv2d", "binary_dense"]


def test_channel_of_zero_weights() -> None:
    weights = signs(8, 3, 3, 3)
    weights[2] = 0
    layer = Conv2d(weights, f32(rng().normal(size=8)), Window((3, 3)))
    ops = (layer, Sign(1), dense((5, 5, 8), 10))
    assert_same_scores(network((7, 7, 3), *ops))


def test_ternary_weights_run_as_int8() -> None:
    weights = f32(rng().choice([-0.25, 0, 0.25], (16, 3, 3, 8)))
    ternary = Conv2d(weights, None, Window((3, 3), pads=(1, 1, 1, 1)))
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), ternary, norm(16, 2.0), Sign(1))
    lowered = assert_same_scores(network((7, 7, 3), *ops, dense((5, 5, 16), 10)))
    assert isinstance(lowered.nodes[2].op, Int8Conv2d)
    assert any("ternary" in note.text for note in lowered.notes)


def test_weights_of_a_real_layer_keep_their_precision() -> None:
    weights = f32(rng().normal(size=(10, 7, 7, 3)))
    graph = network((7, 7, 3), Dense(weights, f32(rng().normal(size=10))))
    images = pixels(graph, 32)
    expected = real_output(graph, images, _PER_CHANNEL)
    found = lowered_output(graph, images, _PER_CHANNEL)
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


@pytest.mark.parametrize("factors", [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("pad_value", [0.0, 0.5])
def test_factor_zero_in_front_of_a_layer(factors: list[float], pad_value: float) -> None:
    """A batch norm with gamma 0, say: the channel counts as its offset."""
    layer = conv((3, 8), pad=1, pad_value=pad_value)
    ops = (Mul(f32(factors)), Add(f32([0.5, 1.0, -2.0])), layer, norm(8, 400.0), Sign(1))
    assert_same_scores(network((7, 7, 3), *ops, dense((7, 7, 8), 2)))


def test_factors_by_position_in_front_of_a_convolution_are_refused() -> None:
    ops = (Mul(f32(rng().normal(size=(7, 7, 3)))), conv((3, 4)), Sign(1), dense((5, 5, 4), 2))
    with pytest.raises(ModelError, match=r"conv2d_1 \(conv2d\): .* must differ by channel only"):
        run_passes(network((7, 7, 3), *ops), InputOptions())


def test_factors_by_position_in_front_of_a_dense_layer_go_into_its_weights() -> None:
    """Batch norm per feature between a sign and the last layer."""
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1))
    factors = f32(rng().integers(-126, 127, (5, 5, 8)))
    factors[0, 0, 0] = 127  # whole numbers: int8 holds them
    shift = Add(f32(rng().normal(size=(5, 5, 8))))
    graph = network((7, 7, 3), *ops, Mul(factors), shift, dense((5, 5, 8), 4))
    lowered = assert_same_scores(graph)
    assert operator_names(lowered)[-2:] == ["unpack_bits", "int8_dense"]
