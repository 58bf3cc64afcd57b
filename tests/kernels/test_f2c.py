"""The f2c kernels' lists of any length and their estimate at any density; where they apply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.variants.cores import core_for
from tests.kernels.binary_cases import in_256_classes, same_size_layer
from tests.kernels.f2c_cases import PIXEL, ROWS, dense_case
from tests.kernels.instructions import Emulator
from tests.kernels.promises import check_on_core, cost


@pytest.mark.target
@pytest.mark.parametrize(
    ("core", "lengths"),
    [
        ("cortex-m4", (65535, 65532, 40000)),
        ("cortex-m55", (65535, 65532, 40000)),
        ("cortex-m0plus", (16384, 16383, 10000)),
    ],
)
def test_counts_up_to_the_most_entries(
    emulator: Emulator, core: str, lengths: tuple[int, ...]
) -> None:
    cases = [
        dense_case(inputs, 32, pattern)
        for inputs in lengths
        for pattern in ("zero", "one", "half", "checkerboard", "even")
    ]
    cases += [dense_case(count, 33, "one") for count in range(1, 10)]
    check_on_core(emulator, core, cases)


@pytest.mark.target
@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m55", "cortex-m0plus"])
def test_begins_a_block_at_every_entry(emulator: Emulator, core: str) -> None:
    cases = []
    for count in range(130):
        case = dense_case(260, 32, "zero")
        sample = case.sample.copy()
        sample[np.random.default_rng(count).permutation(260)[:count]] = 1
        cases.append(replace(case, sample=sample))
    check_on_core(emulator, core, cases)


@pytest.mark.target
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55", "cortex-m0plus"])
@pytest.mark.parametrize(("pattern", "density"), [("zero", 0.0), ("sparse", 0.1), ("dense", 0.9)])
def test_estimate_follows_the_density(
    emulator: Emulator, core: str, pattern: str, density: float
) -> None:
    cases = [same_size_layer(variant, (64, 64), pattern=pattern) for variant in (ROWS, PIXEL)]
    for case, run in zip(cases, emulator.run(core, cases), strict=True):
        estimate = cost(case, core, density)
        assert estimate.instructions == pytest.approx(run.instructions, rel=0.06)


def test_variant_says_why_it_does_not_apply() -> None:
    source = TensorType((16, 16, 32), DType.BIT)
    op = same_size_layer(ROWS, (32, 32), pad_value=0).op
    assert isinstance(op, BinaryConv2d)
    dilated = BinaryConv2d(op.weights, Window((3, 3), dilations=(2, 1)), 0, op.stage)
    assert ROWS.why_not(op, [source]) == ""
    assert "dilation" in ROWS.why_not(dilated, [source])
    assert PIXEL.why_not(dilated, [source]) == ""
    assert "binary_dense" in PIXEL.why_not(dense_case(8, 8, "even").op, [source])
    assert "256 ways" in ROWS.why_not(op.with_stage(in_256_classes(32)), [source])
    wide = TensorType((4, 2048, 32), DType.BIT)
    assert "65536 or more" in ROWS.why_not(op, [wide])
    assert ROWS.why_not(op, [TensorType((4, 512, 32), DType.BIT)]) == ""


def test_long_lists_need_thumb2() -> None:
    """Entries of Thumb-1 are byte offsets of weight words, in 16 bits."""
    op = same_size_layer(ROWS, (32, 32)).op
    source = [TensorType((4, 512, 32), DType.BIT)]
    assert ROWS.why_not_on(op, source, core_for("cortex-m4")) == ""
    assert "16384 or more" in ROWS.why_not_on(op, source, core_for("cortex-m0"))
    assert PIXEL.why_not_on(op, source, core_for("cortex-m0")) == ""
