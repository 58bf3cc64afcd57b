"""Chains behind a layer become thresholds, int8 or scores."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import (
    assert_same_scores,
    attached,
    conv,
    dense,
    f32,
    network,
    norm,
    operator_names,
    pixels,
    real_dense,
    rng,
)

_HIDDEN = (dense((20,), 32), norm(32, 700.0), Sign(1))


@pytest.mark.parametrize("at_zero", [1, 0, -1])
def test_every_bit_equals_the_float_graph(at_zero: int) -> None:
    ops = (dense((20,), 64), norm(64, 700.0), Sign(at_zero), real_dense((64,), 4))
    graph = attached(network((20,), *ops), InputOptions())
    images = pixels(graph, 400)
    expected = evaluate_graph(graph, images)["sign_2"]
    lowered = run_passes(network((20,), *ops), InputOptions())
    np.testing.assert_array_equal(evaluate_graph(lowered, images)["sign_2"], expected)


def test_sign_of_the_input_becomes_a_threshold() -> None:
    graph = network((20,), Add(f32(-127.5)), Sign(1), dense((20,), 4))
    lowered = assert_same_scores(graph)
    assert operator_names(lowered) == ["threshold", "binary_dense"]


@pytest.mark.parametrize(
    ("inputs", "bias", "noted"),
    [
        (32, 2.0, True),  # even number of taps: the sum -2 occurs
        (33, 2.0, False),  # odd number of taps: it cannot
        (32, 1.0, False),
        (33, 1.0, True),
        (32, 0.5, False),  # no integer sum gives 0
    ],
)
def test_note_on_sign_of_zero_only_where_it_can_occur(
    inputs: int, bias: float, noted: bool
) -> None:
    first = (dense((20,), inputs), Add(f32(0.5)), Sign(0))
    second = (dense((inputs,), 8), Add(f32(bias)), Sign(0), dense((8,), 4))
    lowered = run_passes(network((20,), *first, *second), InputOptions())
    notes = [note for note in lowered.notes if note.node == "sign_5"]
    assert bool(notes) == noted
    if noted:
        assert "sign(0) is possible in 8 of 8 channels" in notes[0].text


@pytest.mark.parametrize(("channels", "noted"), [(2, False), (3, True)])
def test_zero_padding_keeps_the_parity_of_even_channels_only(channels: int, noted: bool) -> None:
    first = (conv((1, channels)), Add(f32(0.5)), Sign(1))
    second = (conv((channels, 4), pad=1), Add(f32(1.0)), Sign(0), dense((4, 4, 4), 2))
    lowered = run_passes(network((6, 6, 1), *first, *second), InputOptions())
    assert any(note.node == "sign_5" for note in lowered.notes) == noted


def test_sign_with_a_rule_for_zero_needs_no_note() -> None:
    ops = (dense((20,), 8), Add(f32(2.0)), Sign(1), dense((8,), 4))
    assert run_passes(network((20,), *ops), InputOptions()).notes == ()


@pytest.mark.parametrize(
    ("tail", "unit"),
    [
        ((), 1.0),
        ((Mul(f32(0.25)),), 0.25),
        ((Mul(f32(0.25)), Add(f32([0.5, -0.75, 2.0, 0.0]))), 0.25),
    ],
    ids=["plain", "scaled", "whole_offsets"],
)
def test_scores_with_one_unit_are_exact(tail: tuple[Op, ...], unit: float) -> None:
    lowered = assert_same_scores(network((20,), *_HIDDEN, dense((32,), 4), *tail), rtol=0)
    assert lowered.output_scale == unit


@pytest.mark.parametrize(
    "tail",
    [
        (norm(4, 9.0),),
        (Mul(f32([1, -2, 3e-3, 0])), Add(f32([0.1, 0.2, 0.3, 0.4]))),
        (Mul(f32(-0.5)),),
        (Add(f32(1 / 3)),),
        (Mul(f32(0.0)),),
        (Mul(f32(1e-20)), Add(f32(1e-20))),
    ],
    ids=["batch_norm", "per_class", "negative", "thirds", "zero", "tiny"],
)
def test_scores_with_a_factor_per_class(tail: tuple[Op, ...]) -> None:
    assert_same_scores(network((20,), *_HIDDEN, dense((32,), 4), *tail), rtol=1e-5)


def test_scores_of_a_real_layer_order_the_classes_alike() -> None:
    weights = f32(np.round(rng().normal(size=(4, 32)) * 40) / 40)
    weights[:, 0] = 127 / 40  # the grid of 1/40 is the int8 grid
    ops = (*_HIDDEN, Dense(weights, f32(rng().normal(size=4))))
    assert_same_scores(network((20,), *ops), rtol=1e-5)


@pytest.mark.parametrize("clip", [Clip(0, np.inf), Clip(-1, 1)], ids=["relu", "hardtanh"])
def test_clip_behind_the_scores_is_refused(clip: Clip) -> None:
    with pytest.raises(ModelError, match=r"clip_4 .* constant factors and offsets only"):
        run_passes(network((20,), *_HIDDEN, dense((32,), 4), clip), InputOptions())


def test_bits_at_the_output_are_refused() -> None:
    with pytest.raises(ModelError, match="must end in the scores of a layer"):
        run_passes(network((20,), dense((20,), 8), Sign(1)), InputOptions())


def test_real_steps_without_a_layer_are_refused() -> None:
    with pytest.raises(ModelError, match=r"must follow a layer|must end in the scores"):
        run_passes(network((20,), Mul(f32(2.0)), Add(f32(1.0))), InputOptions())


def test_map_of_scores_is_kept() -> None:
    """A network without a dense layer ends in one score per pixel and class."""
    ops = (conv((3, 8)), norm(8, 400.0), Sign(1), conv((8, 4), 1))
    lowered = assert_same_scores(network((5, 5, 3), *ops))
    assert lowered.tensors[lowered.output].shape == (3, 3, 4)


_HUGE = Mul(f32(3e38))


@pytest.mark.parametrize(
    "steps",
    [
        (_HUGE, _HUGE, Mul(f32(0.0)), Sign(1), dense((32,), 4)),
        (Sign(1), dense((32,), 4), _HUGE, _HUGE, _HUGE, _HUGE, _HUGE, _HUGE, _HUGE, _HUGE, _HUGE),
    ],
    ids=["sign", "scores"],
)
@pytest.mark.filterwarnings("error")
def test_constants_that_lead_beyond_float_are_refused(steps: tuple[Op, ...]) -> None:
    with pytest.raises(ModelError, match="lead beyond float32"):
        run_passes(network((20,), dense((20,), 32), *steps), InputOptions())


def test_infinite_values_before_a_sign_keep_their_order() -> None:
    graph = network((20,), dense((20,), 32), _HUGE, _HUGE, Sign(1), dense((32,), 4))
    with np.errstate(over="ignore"):
        assert_same_scores(graph)
