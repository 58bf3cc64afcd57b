"""The first layer by tables: its scratch memory, its constant time, where it applies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, ScoreStage, ThresholdStage
from tests.kernels.harness import Case
from tests.kernels.input_conv2d_tab_cases import PROMISES, TAB, longest_sums
from tests.kernels.promises import cost
from tests.kernels.toolchain import INCLUDES, require_tool, run_tool

every_case = pytest.mark.parametrize(
    "case", [*longest_sums(), *(goal.case for goal in PROMISES.goals.values())], ids=str
)


@every_case
def test_header_states_the_scratch(case: Case, tmp_path: Path) -> None:
    arguments = ", ".join(f"{value}u" for value in case.call.scratch_arguments)
    stated = f"MCUBNN_INPUT_CONV2D_TAB_SCRATCH_BYTES({arguments})"
    source = tmp_path / "scratch.c"
    source.write_text(
        '#include "mcubnn/input_conv2d_tab.h"\n'
        f'_Static_assert({stated} == {case.call.scratch_bytes}u, "as planned");\n'
    )
    run_tool([require_tool("gcc"), *INCLUDES, "-fsyntax-only", source])


@every_case
def test_time_does_not_depend_on_pixels(case: Case) -> None:
    assert TAB.constant_time
    costs = [cost(case, "cortex-m4", density) for density in (0.0, 0.5, 1.0)]
    assert costs[0] == costs[1] == costs[2]


def _why_not(
    window: Window, channels: int, stage: OutputStage | None = None, scaled: bool = False
) -> str:
    weights = np.ones((1, *window.kernel, channels), np.int8)
    never = ThresholdStage(None, np.full((1, 1), 2**31 - 1, np.int32), np.zeros(1, np.bool_))
    multipliers = np.ones(channels, np.int32) if scaled else None
    op = InputConv2d(weights, window, multipliers, stage or never)
    return TAB.why_not(op, [TensorType((64, 64, channels), DType.UINT8)])


def test_why_not_names_what_is_missing() -> None:
    scores = ScoreStage(None, np.ones(1, np.int32), np.zeros((1, 1), np.int32))
    assert _why_not(Window((3, 3)), 3) == ""
    assert "bits" in _why_not(Window((3, 3)), 3, scores)
    assert "multipliers" in _why_not(Window((3, 3)), 3, scaled=True)
    assert _why_not(Window((3, 3), strides=(2, 3)), 3) == ""
    assert "dilations" in _why_not(Window((3, 3), dilations=(1, 2)), 3)
    assert "groups" in _why_not(Window((32, 1)), 1)
    assert "groups" in _why_not(Window((1, 11)), 20)
    assert _why_not(Window((8, 16)), 1) == ""
    assert "16 bits" in _why_not(Window((3, 43)), 1)
