from __future__ import annotations

import json

import numpy as np
import pytest
from rich.console import Console

from mcubnn.artifacts import NodeCosts
from mcubnn.report.document import to_document
from mcubnn.report.profile import Profile, make_profile
from mcubnn.report.report import KernelRow, LayerRow, Report
from mcubnn.report.text import print_view, profile_view

COSTS = np.array([[100, 30], [200, 10], [120, 20]], np.int64)


def _report() -> Report:
    return Report(
        model="net",
        model_hash="00c0ffee",
        board="a-board",
        compiler="gcc 12",
        planner="greedy",
        arena_region="ram",
        layers=(
            LayerRow("conv", "binary_conv2d", "binary_conv2d_f2c", "bit[2x2x32]", 640, 1, 8, 16),
            LayerRow("pool", "bit_max_pool", "bit_max_pool", "bit[1x1x32]", 0, 0, 0, 16),
        ),
        kernels=(
            KernelRow("conv", "f2c", 150, 130, 250, ()),
            KernelRow("pool", "portable", 30, 21, 40, ()),
        ),
        figures=(),
        notes=(),
    )


def _profile(unit: str = "instructions") -> Profile:
    measured = NodeCosts(COSTS, unit, 25_000_000, "QEMU 7.2.22 -icount, mps2-an386")
    return make_profile(_report(), "cortex-m4", measured)


def test_rows_hold_mean_minimum_maximum_and_share_of_each_node() -> None:
    conv, pool = _profile().rows
    assert (conv.mean, conv.minimum, conv.maximum) == (140, 100, 200)
    assert (pool.mean, pool.minimum, pool.maximum) == (20, 10, 30)
    assert (conv.share, pool.share) == (0.875, 0.125)
    assert conv.per_32_macs == pytest.approx(7.0)
    assert pool.per_32_macs is None


def test_the_total_is_taken_over_images_and_not_over_the_rows() -> None:
    total = _profile().total
    assert (total.mean, total.minimum, total.maximum) == (160, 130, 210)
    assert (total.estimated, total.bound) == (151, 290)
    assert total.share == 1.0


@pytest.mark.parametrize(
    ("unit", "origin"),
    [
        (
            "instructions",
            "executed instructions, QEMU 7.2.22 -icount, mps2-an386; not cycles, not time",
        ),
        ("cycles", "cycles of the core's 25 MHz clock, counted on the board"),
        ("ticks", "ticks of the device's 25 MHz counter"),
    ],
)
def test_the_origin_says_what_was_counted(unit: str, origin: str) -> None:
    assert _profile(unit).origin.startswith(origin)


def test_cycles_are_not_compared_with_estimated_instructions() -> None:
    found = _profile("cycles")
    assert (found.total.estimated, found.rows[0].bound) == (None, None)


def test_table_and_json_come_from_one_object() -> None:
    found = _profile()
    document = json.loads(json.dumps(to_document(found)))
    assert document["rows"][0]["mean"] == 140
    assert document["total"]["maximum"] == 210
    text = _drawn(found)
    assert "net (00c0ffee) on a-board, cortex-m4: instructions per image" in text
    assert all(
        part in text for part in ("140", "87.5 %", "7.00", "total", "151 estimated (-5.6 %)")
    )
    assert max(len(line) for line in text.splitlines()) <= 80


def _drawn(found: Profile) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        print_view(profile_view(found), console)
    return capture.get()
