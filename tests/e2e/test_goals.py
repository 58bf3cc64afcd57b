"""The goals of the kernel selection, and a budget between them, hold for images that were built."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcubnn import pipeline
from mcubnn.example import builtin_example
from mcubnn.plan.goals import Goal
from mcubnn.plan.limits import Budget
from mcubnn.plan.select import SelectionOptions
from mcubnn.report.report import Report

BOARD = "nucleo-f746"

pytestmark = pytest.mark.target


def built(goal: Goal, folder: Path, budget: Budget | None = None) -> Report:
    example = builtin_example()
    model = pipeline.compile_model(example.model, pipeline.CompileOptions(example.input))
    options = pipeline.BuildOptions(budget or Budget(), SelectionOptions(goal))
    return pipeline.build_graph(model, BOARD, folder, options).report


def ram(report: Report) -> int:
    return report.figure("total RAM with stack").value


def flash(report: Report) -> int:
    return report.figure("total flash").value


def test_goals_and_a_flash_budget_hold_for_built_images(tmp_path: Path) -> None:
    """On a board that runs hot code from RAM, so that a smaller kernel may save both."""
    reports = {goal: built(goal, tmp_path / goal) for goal in Goal}
    assert ram(reports[Goal.RAM]) == min(map(ram, reports.values()))
    assert flash(reports[Goal.FLASH]) == min(map(flash, reports.values()))
    between = (flash(reports[Goal.FLASH]) + flash(reports[Goal.SPEED])) // 2
    below = flash(reports[Goal.FLASH]) - 1  # slower kernels than any goal takes are smaller still
    for limit in (between, below):
        fitting = built(Goal.SPEED, tmp_path / str(limit), Budget(flash_bytes=limit))
        assert flash(fitting) <= limit
