"""The pooling operators' references, and the identity that lets a pool move behind a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.int8_max_pool import Int8MaxPool
from mcubnn.ops.geometry import Window
from tests.unit.ops import plain

WINDOWS = [
    Window((2, 2), strides=(2, 2)),
    Window((3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    Window((2, 3), strides=(1, 2), pads=(0, 2, 1, 0)),
    Window((2, 2), dilations=(2, 3)),
]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(13)


@pytest.mark.parametrize("channels", plain.CHANNELS)
@pytest.mark.parametrize("window", WINDOWS)
def test_bit_max_pool_is_or_and_and(
    rng: np.random.Generator, window: Window, channels: int
) -> None:
    maps = plain.random_signs(rng, (2, 6, 7, channels))
    minimum = rng.random(channels) < 0.5
    result = BitMaxPool(window, minimum).evaluate([maps])
    either = plain.pool(maps > 0, window, np.logical_or.reduce)
    both = plain.pool(maps > 0, window, np.logical_and.reduce)
    np.testing.assert_array_equal(result > 0, np.where(minimum, both, either))
    assert set(np.unique(result)) <= {-1, 1}


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("window", WINDOWS)
def test_int8_max_pool_takes_the_extremum(
    rng: np.random.Generator, window: Window, dtype: type[np.integer]
) -> None:
    limits = np.iinfo(dtype)
    maps = rng.integers(limits.min, limits.max, (2, 6, 7, 4), dtype, endpoint=True)
    minimum = np.array([False, True, False, True])
    highest = plain.pool(maps, window, np.maximum.reduce)
    lowest = plain.pool(maps, window, np.minimum.reduce)
    result = Int8MaxPool(window, minimum).evaluate([maps])
    np.testing.assert_array_equal(result, np.where(minimum, lowest, highest))
    assert result.dtype == dtype


@pytest.mark.parametrize("slope", [1, -1])
def test_pool_moves_behind_a_threshold(rng: np.random.Generator, slope: int) -> None:
    window = Window((2, 2), strides=(2, 2))
    sums = rng.integers(-20, 20, (2, 6, 6, 3), np.int8)
    before = np.where(slope * plain.pool(sums, window, np.maximum.reduce) >= slope * 3, 1, -1)
    bits = np.where(slope * sums >= slope * 3, 1, -1).astype(np.int8)
    after = BitMaxPool(window, np.full(3, slope < 0)).evaluate([bits])
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("window", "allowed"),
    [
        (Window((2, 2), strides=(2, 2)), True),
        (Window((2, 2), pads=(0, 0, 1, 1)), True),
        (Window((3, 3), strides=(2, 2), pads=(1, 1, 1, 1)), False),
        (Window((3, 3), pads=(0, 1, 0, 0)), False),
    ],
)
def test_pool_works_in_place_without_padding_before_the_map(window: Window, allowed: bool) -> None:
    assert BitMaxPool(window, np.zeros(1, np.bool_)).in_place is allowed


@pytest.mark.parametrize(
    "window", [Window((2, 2), pads=(2, 0, 0, 0)), Window((2, 2), (1, 3), (0, 2, 0, 2), (1, 4))]
)
def test_pool_rejects_a_window_that_misses_the_map(window: Window) -> None:
    op = BitMaxPool(window, np.zeros(8, np.bool_))
    with pytest.raises(TypeRuleError, match="contain a pixel"):
        op.infer([TensorType((4, 2, 8), DType.BIT)])
