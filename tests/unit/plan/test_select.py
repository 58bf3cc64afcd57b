"""Which kernel computes a node: by goal, core, memory and the user's word."""

from __future__ import annotations

from functools import cache

import pytest

from mcubnn.artifacts import InputOptions, KernelChoice
from mcubnn.board import load_board
from mcubnn.errors import UsageError
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from mcubnn.plan.goals import Goal
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from tests.unit.passes.networks import conv, dense, network, norm, pixels

_M4 = "qemu-mps2-an386"


@cache
def _graph() -> Graph:
    """Two convolutions, a pool and two dense layers."""
    body = (
        *(conv((3, 32)), norm(32, 900.0), Sign(1)),
        *(conv((32, 64), pad=1, seed=1), MaxPool(Window((2, 2), (2, 2))), norm(64, 17.0), Sign(1)),
    )
    shape = (7, 7, 64)
    tail = (dense(shape, 64, seed=2), norm(64, 56.0), Sign(1), dense((64,), 10, seed=3))
    return run_passes(network((16, 16, 3), *body, *tail), InputOptions())


def _choices(board: str, budget: Budget | None = None, **options: object) -> list[KernelChoice]:
    wanted = SelectionOptions(**options)  # type: ignore[arg-type]  # forwarded by name
    return list(select_kernels(_graph(), load_board(board), wanted, budget or Budget()).choices)


def _arena(board: str, goal: Goal) -> int:
    selected = select_kernels(_graph(), load_board(board), SelectionOptions(goal), Budget())
    return make_plan(selected.graph, load_board(board), Budget()).arena_bytes


def _instructions(choices: list[KernelChoice]) -> float:
    return sum(choice.cost.instructions for choice in choices)


def test_speed_takes_the_cheapest_kernel_of_every_node() -> None:
    for choice in _choices(_M4):
        usable = [c.cost.cycles for c in choice.candidates if c.cost is not None]
        assert choice.cost.cycles == min(usable)
    assert any(choice.variant != "portable" for choice in _choices(_M4))


def test_this_computer_gets_portable_kernels_only() -> None:
    assert {choice.variant for choice in _choices("host")} == {"portable"}


def test_goals_trade_memory_for_instructions() -> None:
    speed, ram = _choices(_M4), _choices(_M4, goal=Goal.RAM)
    assert _arena(_M4, Goal.RAM) < _arena(_M4, Goal.SPEED)
    assert _instructions(speed) <= _instructions(ram)
    flash = _choices(_M4, goal=Goal.FLASH)
    assert sum(c.cost.flash_bytes for c in flash) <= sum(c.cost.flash_bytes for c in speed)


def test_a_budget_is_met_where_some_kernels_can_meet_it() -> None:
    board = load_board(_M4)
    tight = Budget(ram_bytes=board.stack_bytes + _arena(_M4, Goal.RAM) + 256)
    selected = select_kernels(_graph(), board, SelectionOptions(), tight)
    assert make_plan(selected.graph, board, tight).arena_bytes <= _arena(_M4, Goal.RAM) + 256


def test_constant_time_excludes_kernels_that_walk_lists() -> None:
    assert not any("f2c" in choice.variant for choice in _choices(_M4, constant_time=True))


def test_an_override_is_obeyed_and_the_rest_is_chosen() -> None:
    node = _choices(_M4)[1].node
    choices = {c.node: c.variant for c in _choices(_M4, overrides=((node, "portable"),))}
    assert choices[node] == "portable"
    assert any(variant != "portable" for variant in choices.values())


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((("nowhere", "portable"),), "no such node"),
        ((("conv2d_3", "magic"),), "no such kernel"),
    ],
)
def test_impossible_overrides_are_usage_errors(
    overrides: tuple[tuple[str, str], ...], expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        _choices(_M4, overrides=overrides)


def test_choosing_kernels_changes_no_result() -> None:
    graph = _graph()
    selected = select_kernels(graph, load_board(_M4), SelectionOptions(), Budget()).graph
    images = pixels(graph)
    assert (evaluate_output(selected, images) == evaluate_output(graph, images)).all()
