"""What each goal of the kernel selection promises, by what the image will show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from mcubnn.artifacts import Candidate, InputOptions, KernelChoice
from mcubnn.board import load_board
from mcubnn.example import builtin_example
from mcubnn.ir.graph import Graph
from mcubnn.ir.types import DType
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.ops.variants.base import Cost, Footprint
from mcubnn.passes.pipeline import run_passes
from mcubnn.pipeline import CompileOptions, compile_model
from mcubnn.plan.goals import SLOWDOWN, Goal, Memory, Option, make_option, rank_between
from mcubnn.plan.limits import FIRMWARE_BYTES, NODE_BYTES, Budget
from mcubnn.plan.liveness import lifetimes
from mcubnn.plan.select import SelectionOptions, select_kernels
from tests.unit.passes.networks import conv, dense, network, norm

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "models"
M4, M0, M7 = "qemu-mps2-an386", "qemu-microbit", "nucleo-f746"
EXTREMES = (Goal.SPEED, Goal.RAM, Goal.FLASH)
ROOMY = 10**9

MODELS: Mapping[str, tuple[Path, InputOptions]] = {
    "digits": (builtin_example().model, builtin_example().input),
    "fashion_cnn": (
        ROOT / "examples" / "fashion_cnn" / "fashion_cnn.onnx",
        InputOptions(DType.UINT8, 1 / 255, (0.5,), (0.5,)),
    ),
    "cnv_w1a1": (SHARED / "cnv_w1a1_cifar10.onnx", InputOptions(dtype=DType.INT8)),
}
SYNTHETIC = ("narrow", "wide", "dense")


@cache
def graph_of(name: str) -> Graph:
    if name in SYNTHETIC:
        return run_passes(synthetic(name), InputOptions())
    model, options = MODELS[name]
    if not model.is_file():
        pytest.skip(f"{model.name} is not here")
    return compile_model(model, CompileOptions(options)).graph


def synthetic(name: str) -> Graph:
    if name == "dense":
        head = (dense((8, 8, 1), 200), norm(200, 20.0), Sign(1))
        return network((8, 8, 1), *head, dense((200,), 64, seed=1), norm(64, 10.0), Sign(1),
                       dense((64,), 10, seed=2))  # fmt: skip
    first, second = (8, 12) if name == "narrow" else (96, 160)
    body = (
        *(conv((1, first), pad=1), norm(first, 200.0), Sign(1)),
        *(conv((first, second), pad=1, seed=1), MaxPool(Window((2, 2), (2, 2)))),
        *(norm(second, 9.0), Sign(1)),
        *(conv((second, second), seed=2), norm(second, 9.0), Sign(1)),
    )
    return network((12, 12, 1), *body, dense((4, 4, second), 10, seed=3))


def chosen(
    name: str, board: str, goal: Goal, budget: Budget | None = None
) -> tuple[KernelChoice, ...]:
    options = SelectionOptions(goal)
    return select_kernels(graph_of(name), load_board(board), options, budget or Budget()).choices


def memory_of(name: str, board: str) -> Memory:
    graph = graph_of(name)
    found = lifetimes(graph)
    live = [
        sum(f.size_bytes for f in found if f.first_step <= step <= f.last_step)
        for step in range(len(graph.nodes))
    ]
    return Memory(live, load_board(board).hot_region is not None, ROOMY, ROOMY, ROOMY)


def option_of(name: str, board: str, choices: tuple[KernelChoice, ...]) -> Option:
    picked = [Candidate(c.variant, c.cost, "") for c in choices]
    return make_option(picked, memory_of(name, board))


@cache
def best(name: str, board: str, goal: Goal) -> Option:
    return option_of(name, board, chosen(name, board, goal))


def every(name: str, board: str) -> list[Option]:
    """Every combination of kernels of a small network."""
    choices = chosen(name, board, Goal.SPEED)
    rows = [[c for c in choice.candidates if c.cost is not None] for choice in choices]
    return [make_option(picked, memory_of(name, board)) for picked in product(*rows)]


everywhere = pytest.mark.parametrize("board", [M4, M0, M7])
networks = pytest.mark.parametrize("name", [*MODELS, *SYNTHETIC])


@everywhere
@networks
def test_each_goal_is_best_at_what_it_is_for(name: str, board: str) -> None:
    if (name, board) == ("cnv_w1a1", M0):
        pytest.skip("it does not fit the board, so no goal is free")
    all_goals = [best(name, board, goal) for goal in Goal]
    assert best(name, board, Goal.SPEED).cycles == min(o.cycles for o in all_goals)
    assert best(name, board, Goal.RAM).ram_bytes == min(o.ram_bytes for o in all_goals)
    assert best(name, board, Goal.FLASH).flash_bytes == min(o.flash_bytes for o in all_goals)


@everywhere
@networks
def test_balanced_is_in_nothing_worse_than_all_the_others(name: str, board: str) -> None:
    balanced = best(name, board, Goal.BALANCED)
    extremes = [best(name, board, goal) for goal in EXTREMES]
    assert balanced.cycles <= max(o.cycles for o in extremes)
    assert balanced.ram_bytes <= max(o.ram_bytes for o in extremes)
    assert balanced.flash_bytes <= max(o.flash_bytes for o in extremes)
    rank = rank_between(extremes[0], extremes)
    assert all(rank(balanced) <= rank(option) for option in extremes)


@everywhere
@pytest.mark.parametrize("name", ["digits", "narrow", "dense"])
def test_no_other_choice_is_better(name: str, board: str) -> None:
    """Every combination of kernels, tried one by one."""
    options = every(name, board)
    speed, ram, flash = (best(name, board, goal) for goal in EXTREMES)
    assert speed.cycles == pytest.approx(min(o.cycles for o in options))
    usable = [o for o in options if o.cycles <= SLOWDOWN * speed.cycles]
    least_ram = min((o.ram_bytes, o.cycles) for o in usable)
    assert (ram.ram_bytes, ram.cycles) == pytest.approx(least_ram)
    least_flash = min((o.flash_bytes, o.cycles) for o in usable)
    assert (flash.flash_bytes, flash.cycles) == pytest.approx(least_flash)


@everywhere
@networks
def test_no_goal_costs_more_than_twice_the_time(name: str, board: str) -> None:
    fastest = best(name, board, Goal.SPEED).cycles
    assert max(best(name, board, goal).cycles for goal in Goal) <= SLOWDOWN * fastest


def flash_budget(name: str, kernels: int) -> Budget:
    """A budget that leaves so many bytes for kernels and their constants."""
    return Budget(flash_bytes=kernels + FIRMWARE_BYTES + NODE_BYTES * len(graph_of(name).nodes))


@pytest.mark.parametrize("board", [M4, M0])
@pytest.mark.parametrize("name", ["digits", "narrow"])
def test_a_flash_budget_gets_the_fastest_choice_that_fits(name: str, board: str) -> None:
    smallest, largest = best(name, board, Goal.FLASH), best(name, board, Goal.SPEED)
    options = every(name, board)
    for room in np.linspace(smallest.flash_bytes, largest.flash_bytes, 6).astype(int).tolist():
        choices = chosen(name, board, Goal.SPEED, flash_budget(name, room))
        found = option_of(name, board, choices)
        assert found.flash_bytes <= room
        fastest = min(o.cycles for o in options if o.flash_bytes <= room)
        assert found.cycles == pytest.approx(fastest)


@pytest.mark.parametrize("name", ["digits", "narrow", "dense"])
def test_where_nothing_fits_the_flash_the_smallest_is_taken(name: str) -> None:
    """However slow: a budget is a wish of its own."""
    choices = chosen(name, M4, Goal.SPEED, flash_budget(name, 1))
    assert option_of(name, M4, choices).flash_bytes == min(o.flash_bytes for o in every(name, M4))


def candidate(code: Mapping[str, int], stack_bytes: int = 0, scratch_bytes: int = 0) -> Candidate:
    cost = Cost(1.0, 1, 1.0, Footprint(scratch_bytes, 10, code, stack_bytes))
    return Candidate("any", cost, "")


def test_shared_code_counts_once_and_constants_each_time() -> None:
    picked = [candidate({"a.c": 100, "shared.S": 50}), candidate({"b.c": 7, "shared.S": 50})]
    option = make_option([*picked, picked[0]], Memory([0, 0, 0], False, ROOMY, ROOMY, ROOMY))
    assert option.flash_bytes == 100 + 50 + 7 + 3 * 10


def test_ram_is_the_largest_arena_the_deepest_stack_and_code_that_runs_there() -> None:
    picked = [candidate({"a.S": 40}, 300, 100), candidate({"a.S": 40, "b.c": 9}, 200, 400)]
    apart = make_option(picked, Memory([1000, 500], False, ROOMY, ROOMY, ROOMY))
    assert apart.ram_bytes == 1100 + 300
    in_ram = make_option(picked, Memory([1000, 500], True, ROOMY, ROOMY, ROOMY))
    assert in_ram.ram_bytes == 1100 + 300 + 40
    assert make_option(picked, Memory([1000, 500], True, 1099, 1139, 68)).excess_bytes == 1 + 1 + 1
