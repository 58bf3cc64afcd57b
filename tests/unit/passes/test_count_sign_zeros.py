"""Exact zeros before a Sign are counted on calibration data, and only there."""

from __future__ import annotations

import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.ops.defs.sign import Sign
from mcubnn.passes.pipeline import run_passes
from tests.unit.passes.networks import conv, dense, network, pixels


@pytest.mark.parametrize(
    ("at_zero", "channels", "expected"), [(0, 2, True), (0, 3, False), (1, 2, False)]
)
def test_zeros_are_reported_where_sums_can_be_zero(
    at_zero: int, channels: int, expected: bool
) -> None:
    """A sum of an even number of signs can be 0, of an odd number it cannot."""
    body = (conv((1, channels)), Sign(1), conv((channels, 4), kernel=1), Sign(at_zero))
    graph = network((5, 5, 1), *body, dense((3, 3, 4), 10))
    notes = run_passes(graph, InputOptions(), pixels(graph)).notes
    assert any("sign(0) occurred" in note.text for note in notes) == expected
    assert not any("occurred" in n.text for n in run_passes(graph, InputOptions()).notes)
