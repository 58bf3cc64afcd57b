from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.passes.codebook import recover_codebook
from tests.unit.passes.networks import rng, signs

_SHAPE = (6, 3, 3, 4)


@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_one_magnitude_per_output_channel_is_binary(seed: int, spread: float) -> None:
    scale = rng(seed).uniform(0.1, 1, 6) * spread
    signed = scale * rng(seed + 1).choice([-1, 1], 6)  # batch norm fused with negative gamma
    weights = signs(*_SHAPE, seed=seed).astype(np.float64) * signed[:, None, None, None]
    book = recover_codebook(weights, allow_multipliers=True)
    assert book.binary
    assert book.multipliers is None
    np.testing.assert_allclose(book.real_weights(), weights, rtol=1e-12)
    np.testing.assert_array_equal(book.integers, np.sign(weights))


def test_channel_of_zeros_stays_binary_with_scale_zero() -> None:
    weights = signs(*_SHAPE).astype(np.float64)
    weights[2] = 0
    book = recover_codebook(weights, allow_multipliers=False)
    assert book.binary
    assert book.scale.tolist() == [1, 1, 0, 1, 1, 1]
    np.testing.assert_array_equal(book.real_weights(), weights)


def test_residue_of_a_straight_through_estimator_is_ignored() -> None:
    weights = signs(*_SHAPE) * (1 + rng().uniform(-2e-7, 2e-7, _SHAPE))
    book = recover_codebook(weights, allow_multipliers=False)
    assert book.binary
    np.testing.assert_allclose(book.scale, 1, rtol=1e-6)


def test_ternary_weights_become_int8_and_say_why() -> None:
    weights = signs(*_SHAPE).astype(np.float64) * 0.5
    weights[1, 0, 0, 0] = 0
    book = recover_codebook(weights, allow_multipliers=True)
    assert not book.binary
    assert book.reason == "ternary: channel 1 holds 0 and +-0.5"
    np.testing.assert_allclose(book.real_weights(), weights, rtol=1e-12)


def test_real_weights_become_int8_within_half_a_unit() -> None:
    weights = rng().normal(size=_SHAPE)
    book = recover_codebook(weights, allow_multipliers=True)
    assert not book.binary
    assert "different magnitudes" in book.reason
    error = np.abs(book.real_weights() - weights).reshape(6, -1).max(axis=1)
    assert (error <= book.scale / 2 * (1 + 1e-9)).all()
    assert np.abs(book.integers).max() == 127


def test_magnitude_per_input_channel_becomes_a_multiplier() -> None:
    per_input = np.array([1 / 0.229, 1 / 0.224, 1 / 0.225, 3.0])
    weights = signs(*_SHAPE) * per_input * rng().uniform(0.5, 2, 6)[:, None, None, None]
    book = recover_codebook(weights, allow_multipliers=True)
    assert book.binary
    assert book.multipliers is not None
    np.testing.assert_allclose(book.real_weights(), weights, rtol=2**-14)


def test_multipliers_are_much_nearer_than_their_limit() -> None:
    """Layers with many taps leave few bits; the ratios of 3 channels still fit to 2^-14."""
    per_input = 1 / np.array([0.2470, 0.2435, 0.2616])
    book = recover_codebook(signs(2, 32, 32, 3) * per_input, allow_multipliers=True)
    assert book.multipliers is not None
    assert book.multipliers.max() <= (1 << 30) // (255 * 3072)
    ratios = book.multipliers / per_input
    assert np.ptp(ratios) / ratios.max() < 2**-14


def test_ratios_of_small_integers_stay_small() -> None:
    book = recover_codebook(signs(*_SHAPE) * np.array([0.5, 1.0, 1.5, 0.25]), True)
    assert book.multipliers is not None
    assert book.multipliers.tolist() == [2, 4, 6, 1]


def test_multipliers_are_not_used_where_the_kernel_has_none() -> None:
    weights = signs(*_SHAPE) * np.array([1.0, 2.0, 3.0, 4.0])
    assert not recover_codebook(weights, allow_multipliers=False).binary


@pytest.mark.parametrize("taps", [3, 11])
def test_sums_with_multipliers_fit_int32(taps: int) -> None:
    weights = signs(2, taps, taps, 64) * np.linspace(1, 5, 64)
    book = recover_codebook(weights, allow_multipliers=True)
    assert book.multipliers is not None
    assert int(book.multipliers.sum()) * taps * taps * 255 < 2**31


def test_zero_input_channel_has_no_multiplier() -> None:
    weights = signs(*_SHAPE) * np.array([1.0, 0.0, 3.0, 4.0])
    assert not recover_codebook(weights, allow_multipliers=True).binary
