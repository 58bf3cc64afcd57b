"""Integer thresholds against the float32 chain, sum by sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mcubnn.ir.types import Array
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.elementwise import Add, Clip, Div, Elementwise, Mul, Rescale
from mcubnn.passes import thresholds
from mcubnn.passes.thresholds import SignChain, count_exact_zeros, find_thresholds
from tests.unit.passes.networks import f32

_REACH = 300


def _chain(
    steps: list[Elementwise], channels: int, *, strict: bool = False, reach: int = _REACH
) -> SignChain:
    low = np.full(channels, -reach, np.int64)
    return SignChain(steps, strict, low, -low, 1)


def _brute_force(chain: SignChain) -> tuple[Array, NDArray[np.bool_]]:
    """All reachable sums and the float32 chain's answer."""
    sums = np.arange(int(chain.low.min()), int(chain.high.max()) + 1, dtype=np.int64)
    return sums, chain.bits(sums[:, None, None])


def _assert_equal_everywhere(chain: SignChain) -> None:
    found, flip = find_thresholds(chain)
    sums, expected = _brute_force(chain)
    bits = (sums[:, None, None] >= found) ^ flip
    inside = (sums[:, None] >= chain.low) & (sums[:, None] <= chain.high)
    assert np.array_equal(bits & inside[:, None], expected & inside[:, None])


_numbers = st.floats(-1e4, 1e4, width=32, allow_nan=False)
_gammas = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e-38, 1e30, -1e30, 1e-45]), _numbers
)
_norms = st.tuples(
    _gammas, _numbers, _numbers, st.floats(0, 1e6, width=32), st.sampled_from([1e-3, 1e-5, 1e-12])
)


def _norm(gamma: float, beta: float, mean: float, variance: float, epsilon: float) -> BatchNorm:
    return BatchNorm(f32([gamma]), f32([beta]), f32([mean]), f32([variance]), epsilon)


@given(_norms, st.booleans())
@example((1.0, 0.0, 0.0, 1.0, 1e-5), False)
@example((-1.0, 0.0, 3.0, 1.0, 1e-5), True)
@example((0.0, 0.0, 0.0, 1.0, 1e-5), False)
@example((1e-45, 0.0, 0.0, 1e6, 1e-5), True)
@settings(derandomize=True, deadline=None)
def test_batch_norm_equals_its_float32_evaluation(
    parameters: tuple[float, float, float, float, float], strict: bool
) -> None:
    _assert_equal_everywhere(_chain([_norm(*parameters)], 1, strict=strict))


@given(_norms, _numbers, st.floats(0.0009765625, 100, width=32), st.booleans())
@settings(derandomize=True, deadline=None)
def test_longer_chains_equal_their_float32_evaluation(
    parameters: tuple[float, float, float, float, float], bias: float, factor: float, strict: bool
) -> None:
    steps = [
        Rescale(np.asarray(factor), np.asarray(bias)),
        _norm(*parameters),
        Clip(-1.0, 1.0),
        Div(f32([-factor])),
        Add(f32([bias])),
    ]
    _assert_equal_everywhere(_chain(steps, 1, strict=strict))


@given(st.lists(_norms, min_size=1, max_size=4), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=40)
def test_bisection_equals_exhaustive_search(
    parameters: list[tuple[float, float, float, float, float]], strict: bool
) -> None:
    norms = [_norm(*p) for p in parameters]
    chains = [_chain([n], 1, strict=strict) for n in norms]
    exhaustive = [find_thresholds(chain) for chain in chains]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thresholds, "EXHAUSTIVE_EVALUATIONS", 0)
        bisected = [find_thresholds(chain) for chain in chains]
    for (a, flip_a), (b, flip_b) in zip(exhaustive, bisected, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(flip_a, flip_b)


def test_search_in_chunks_equals_search_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    gamma, beta, mean = (f32(random.normal(0, spread, 50)) for spread in (1, 1, 100))
    norm = BatchNorm(gamma, beta, mean, f32(random.uniform(0, 9, 50)), 1e-5)
    whole = find_thresholds(_chain([norm], 50))
    monkeypatch.setattr(thresholds, "CHUNK_ELEMENTS", 64)
    pieces = find_thresholds(_chain([norm], 50))
    assert np.array_equal(whole[0], pieces[0])
    assert np.array_equal(whole[1], pieces[1])


def test_each_channel_searches_its_own_reach() -> None:
    low, high = np.array([-5, -300]), np.array([7, 20])
    chain = SignChain([Add(f32([3.5, -19.5]))], False, low, high, 1)
    _assert_equal_everywhere(chain)


def test_constant_channels_never_change() -> None:
    gamma, beta = f32([0.0, 0.0]), f32([0.25, -0.25])
    norm = BatchNorm(gamma, beta, f32([0, 0]), f32([1, 1]), 1e-5)
    found, flip = find_thresholds(_chain([norm], 2))
    assert found[0].tolist() == [thresholds.ALWAYS, thresholds.NEVER]
    assert not flip.any()


def test_position_classes_have_their_own_thresholds() -> None:
    low = np.full(2, -9, np.int64)
    chain = SignChain([Add(f32([[0.5, 0.5], [3.5, -3.5]]))], False, low, -low, 2)
    found, flip = find_thresholds(chain)
    assert found.tolist() == [[0, 0], [-3, 4]]
    assert not flip.any()


@pytest.mark.parametrize(
    ("offset", "slope", "parity", "zeros"),
    [
        (2.0, 1.0, 0, 1),  # the even sum -2 gives 0
        (2.0, 1.0, 1, 0),  # only odd sums occur
        (2.0, 1.0, None, 1),
        (2.5, 1.0, None, 0),
        (2.0, -1.0, 0, 1),  # falling: the sum 2 gives 0
        (2.0, -1.0, 1, 0),
        (0.0, 0.0, 1, 1),  # always 0
    ],
)
def test_exact_zeros_are_counted(
    offset: float, slope: float, parity: int | None, zeros: int
) -> None:
    chain = _chain([Mul(f32([slope])), Add(f32([offset]))], 1, reach=9 if parity else 10)
    found, flip = find_thresholds(chain)
    assert count_exact_zeros(chain, found, flip, parity) == zeros
