"""Plans of whole graphs, memory regions and budgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcubnn.artifacts import Firmware, InputOptions, StackUsage, SymbolSize
from mcubnn.board import Access, Board, Region, load_board
from mcubnn.errors import BudgetError
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.elementwise import Add
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.passes.pipeline import run_passes
from mcubnn.plan import limits
from mcubnn.plan.limits import Budget, check_built
from mcubnn.plan.liveness import lifetimes
from mcubnn.plan.planner import make_plan, node_weight_bytes
from tests.architecture.models import every_operator
from tests.unit.passes.networks import conv, dense, f32, network, norm
from tests.unit.plan.lifetimes import live_bytes


@pytest.fixture(scope="module")
def graph() -> Graph:
    pool = MaxPool(Window((3, 3), (2, 2)))
    ops = (conv((3, 32)), norm(32, 400.0), Sign(1), pool, conv((32, 64)), norm(64, 9.0), Sign(1))
    return run_passes(network((16, 16, 3), *ops, dense((4, 4, 64), 10)), InputOptions())


@pytest.fixture(scope="module")
def board() -> Board:
    return load_board("nucleo-f746")


@pytest.mark.parametrize("index", range(4))
def test_plan_is_the_smallest_of_all_planners(index: int, board: Board) -> None:
    graph = every_operator()[index]
    plan = make_plan(graph, board, Budget())
    assert plan.arena_bytes == min(plan.candidates.values()) == plan.candidates[plan.planner]
    assert {a.tensor for a in plan.allocations} >= set(graph.tensors)
    assert plan.weight_bytes == sum(node_weight_bytes(graph).values())


def test_pool_without_padding_works_in_place(graph: Graph, board: Board) -> None:
    plan = make_plan(graph, board, Budget())
    offsets = {a.tensor: a.offset_bytes for a in plan.allocations}
    pool = next(node for node in graph.nodes if node.op.name == "bit_max_pool")
    assert offsets[pool.sources[0]] == offsets[pool.result]
    assert plan.arena_bytes <= live_bytes(list(lifetimes(graph)))


def test_tensor_that_is_read_again_is_not_overwritten(board: Board) -> None:
    ops = (Add(f32(-99.5)), Sign(1), dense((64,), 4))
    graph = run_passes(network((64,), *ops), InputOptions())
    (threshold, _) = graph.nodes
    (found,) = (f for f in lifetimes(graph) if f.name == threshold.result)
    assert found.in_place_of == "x"
    twice = replace(
        graph,
        nodes=(*graph.nodes, replace(threshold, name="again", result="again")),
        tensors={**graph.tensors, "again": graph.tensors[threshold.result]},
    )
    first, *_ = (f for f in lifetimes(twice) if f.name == threshold.result)
    assert first.in_place_of == ""
    make_plan(twice, board, Budget())


def test_input_lives_from_the_first_step_and_output_to_the_last(graph: Graph) -> None:
    found = {f.name: f for f in lifetimes(graph)}
    assert found[graph.input].first_step == 0
    assert found[graph.output].last_step == len(graph.nodes) - 1


def test_arena_goes_to_the_fastest_region_that_holds_it(graph: Graph, board: Board) -> None:
    need = make_plan(graph, board, Budget()).arena_bytes
    for spare, region in ((0, "fast"), (-8, "slow")):
        size = need + board.stack_bytes + limits.STATIC_DATA_BYTES + spare
        regions = (
            Region("flash", Access.FLASH, 0x0800_0000, 1 << 20, 0),
            Region("fast", Access.RAM, 0x2000_0000, size, 0),
            Region("slow", Access.RAM, 0x3000_0000, 1 << 20, 1),
        )
        plan = make_plan(graph, replace(board, regions=regions), Budget())
        assert plan.arena_region == region


def test_arena_that_fits_no_region_is_refused(graph: Graph, board: Board) -> None:
    need = make_plan(graph, board, Budget()).arena_bytes
    regions = (
        Region("flash", Access.FLASH, 0x0800_0000, 1 << 20, 0),
        *(Region(f"r{i}", Access.RAM, 0x2000_0000 + (i << 20), need - 8, i) for i in range(4)),
    )
    with pytest.raises(BudgetError, match="RAM region for the arena"):
        make_plan(graph, replace(board, regions=regions), Budget())


@pytest.mark.parametrize(
    ("budget", "what"), [(Budget(flash_bytes=100), "flash"), (Budget(ram_bytes=4500), "RAM")]
)
def test_budget_names_the_three_largest_consumers(
    budget: Budget, what: str, graph: Graph, board: Board
) -> None:
    with pytest.raises(BudgetError) as raised:
        make_plan(graph, board, budget)
    first, heading, *consumers = raised.value.message.splitlines()
    assert first.startswith(f"{what}: ")
    assert first.endswith("available (--budget)")
    assert heading == "largest consumers:"
    assert len(consumers) == 3
    sizes = [int(line.split(": ")[1].removesuffix(" bytes").replace(",", "")) for line in consumers]
    assert sizes == sorted(sizes, reverse=True)
    assert raised.value.hint


def test_linked_image_is_checked_with_its_stack(board: Board) -> None:
    symbols = (
        SymbolSize("code", ".text", 900),
        SymbolSize("table", ".rodata", 400),
        SymbolSize("arena", ".bss", 2000),
    )
    image = Firmware(
        *(Path("x"), board.id, "gcc", 900, 400, 0, 2000, 4096),
        stack=StackUsage(500, ("main",)),
        symbols=symbols,
    )
    check_built(image, board, Budget(1300, 2500))
    with pytest.raises(BudgetError, match=r"flash: 1,300 bytes needed[^$]*\n  code: 900 bytes"):
        check_built(image, board, Budget(flash_bytes=1299))
    with pytest.raises(BudgetError, match=r"RAM: 2,500 bytes needed[^$]*\n  arena: 2,000 bytes"):
        check_built(image, board, Budget(ram_bytes=2499))
