"""A binarizer that reads bits changes nothing, inverts them or makes them constant."""

from __future__ import annotations

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import ModelError
from mcubnn.ir.op import Op
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import (
    assert_same_scores,
    conv,
    dense,
    f32,
    network,
    norm,
    operator_names,
    rng,
)

_POOL = MaxPool(Window((3, 3), (2, 2), (1, 1, 1, 1)))
_MIXED = Mul(f32(np.resize([0.5, -2.0, 1.0], 33)))


def _twice(*between: Op, at_zero: int = 1) -> list[str]:
    """Operators of a network that binarizes, does something, and binarizes again."""
    ops = (conv((2, 33)), norm(33, 500.0), Sign(1), *between, Sign(at_zero))
    shape = network((10, 10, 2), *ops).tensors[f"sign_{len(ops) - 1}"].shape
    last = (conv((33, 8)), norm(8, 9.0), Sign(1), dense((shape[0] - 2, shape[1] - 2, 8), 10))
    return operator_names(assert_same_scores(network((10, 10, 2), *ops, *last)))


@pytest.mark.parametrize("at_zero", [1, 0, -1])
@pytest.mark.parametrize(
    "between",
    [
        (),
        (Clip(-1, 1),),
        (Add(f32(0.1)),),
        (_MIXED,),
        (norm(33, 1.0),),
        (Add(f32(np.linspace(-2, 2, 33) + 0.01)),),
        (Sign(1),),
    ],
    ids=["nothing", "hardtanh", "shift", "mixed", "norm", "constants", "three"],
)
def test_second_binarizer_costs_nothing(between: tuple[Op, ...], at_zero: int) -> None:
    assert _twice(*between, at_zero=at_zero) == ["input_conv2d", "binary_conv2d", "binary_dense"]


@pytest.mark.parametrize(
    "between",
    [(_POOL,), (_POOL, _MIXED), (_MIXED, _POOL), (Clip(0, 1), _POOL, norm(33, 1.0))],
    ids=["pool", "mixed_behind", "mixed_before", "both"],
)
def test_pools_between_two_binarizers(between: tuple[Op, ...]) -> None:
    expected = ["input_conv2d", "bit_max_pool", "binary_conv2d", "binary_dense"]
    assert _twice(*between) == expected


def test_input_binarized_twice() -> None:
    ops = (Add(f32(-127.5)), Sign(1), Mul(f32([-1.0] * 10 + [1.0] * 10)), Sign(1))
    lowered = assert_same_scores(network((20,), *ops, dense((20,), 4)))
    assert operator_names(lowered) == ["threshold", "binary_dense"]


@pytest.mark.parametrize("factor", [0.5, -0.5])
def test_pool_of_scaled_bits_is_a_pool_of_bits(factor: float) -> None:
    """Activations of {0, 1} or +-alpha under a pool, then a layer: nothing is approximated."""
    levels = (Mul(f32(factor)), Add(f32(0.5)))
    ops = (conv((2, 33)), norm(33, 500.0), Sign(1), *levels, _POOL, dense((4, 4, 33), 10))
    lowered = assert_same_scores(network((10, 10, 2), *ops))
    assert operator_names(lowered) == ["input_conv2d", "bit_max_pool", "binary_dense"]


def test_constants_by_position_between_two_binarizers_are_refused() -> None:
    between = Add(f32(rng().normal(size=(8, 8, 4))))
    ops = (conv((2, 4)), Sign(1), between, Sign(1), dense((8, 8, 4), 10))
    with pytest.raises(ModelError, match=r"sign_3 .* binary already"):
        run_passes(network((10, 10, 2), *ops), InputOptions())


def test_scaled_bits_at_the_output_are_refused() -> None:
    ops = (dense((20,), 8), Sign(1), Mul(f32(0.5)))
    with pytest.raises(ModelError, match=r"mul_2 .* must be followed by a layer or a binarizer"):
        run_passes(network((20,), *ops), InputOptions())
