"""Measures graphs on emulated machines through the product's own stages.

A count is only worth something if the result is right: results are compared with the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcubnn.artifacts import Firmware, KernelChoice, NodeCosts
from mcubnn.board import Board
from mcubnn.build.firmware import build_firmware
from mcubnn.codegen.generate import generate
from mcubnn.codegen.project import project_files
from mcubnn.errors import MismatchError
from mcubnn.ir.graph import Graph
from mcubnn.ir.types import Array
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.packing import device_bytes
from mcubnn.ops.variants.cores import core_for
from mcubnn.pipeline import CompileOptions, compile_model
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from mcubnn.run.profile import measure
from mcubnn.run.runner import Deadlines, Runner
from mcubnn.run.session import make_runner
from tests.bench.geometries import Bench, benches
from tests.bench.machines import machine_name
from tests.bench.networks import Network
from tests.bench.rows import PORTABLE, SELECTED, Row

_DEADLINES = Deadlines(reply_s=300.0)


@dataclass(frozen=True)
class Measured:
    """A graph that ran: the kernels of its nodes, and what every node took."""

    firmware: Firmware
    choices: tuple[KernelChoice, ...]
    costs: NodeCosts


def run_graph(
    graph: Graph, board: Board, overrides: Mapping[str, str], images: Array, folder: Path
) -> Measured:
    """Build a graph with given kernels and count the instructions of every node.

    Raises:
        MismatchError: a fast kernel's result, or the network's, differs from the reference.
    """
    options = SelectionOptions(overrides=tuple(overrides.items()))
    selected = select_kernels(graph, board, options, Budget())
    plan = make_plan(selected.graph, board, Budget())
    program = generate(selected.graph, plan)
    project = project_files(board, program.prefix, plan.arena_region)
    firmware = build_firmware(program, project, board, folder)
    with make_runner(firmware, board, None, _DEADLINES, count_instructions=True) as runner:
        costs = measure(runner, images, program.model_hash, 0)
        _check_results(graph, selected.choices, images[:1], runner)
    return Measured(firmware, selected.choices, costs)


def _check_results(
    graph: Graph, choices: Sequence[KernelChoice], image: Array, runner: Runner
) -> None:
    """Compare the scores, and every node that has a fast kernel, for one image."""
    tensors = evaluate_graph(graph, image)
    for index, (node, choice) in enumerate(zip(graph.nodes, choices, strict=True)):
        if choice.variant == PORTABLE and node.result != graph.output:
            continue
        expected = device_bytes(tensors[node.result][0], graph.tensors[node.result].dtype)
        if runner.trace(index, image.tobytes()) != expected:
            raise MismatchError(
                f"{runner.description}: {node.name} ({node.op.name}, {choice.variant}) differs "
                "from the reference",
                "run the kernel's own tests",
            )


def geometry_rows(board: Board, folder: Path) -> tuple[list[Row], str]:
    """All single layers on one core, and the compiler's version."""
    rows: list[Row] = []
    compiler = ""
    for bench in benches(core_for(board.cpu)):
        found = run_graph(
            bench.graph, board, bench.overrides, bench.images, folder / bench.graph.name
        )
        compiler = found.firmware.compiler
        rows += _layer_rows(bench, board, found)
    return rows, compiler


def _layer_rows(bench: Bench, board: Board, found: Measured) -> list[Row]:
    graph = bench.graph
    rows = []
    for index, node in enumerate(graph.nodes):
        if node.name not in bench.cases:
            continue
        assert isinstance(node.op, DeviceOp)
        costs = found.costs.costs[:, index]
        rows.append(
            Row(
                case=bench.cases[node.name],
                cpu=board.cpu,
                variant=found.choices[index].variant,
                machine=machine_name(board),
                images=len(costs),
                macs=node.op.macs([graph.tensors[name] for name in node.sources]),
                instructions=float(costs.mean()),
                minimum=int(costs.min()),
                maximum=int(costs.max()),
                estimated=round(found.choices[index].cost.instructions),
            )
        )
    return rows


def network_rows(network: Network, board: Board, folder: Path) -> list[Row]:
    """A whole network with the portable kernels, and with the chosen ones where they differ."""
    graph = compile_model(network.model, CompileOptions(network.options)).graph
    images = network.pixels()
    portable = {node.name: PORTABLE for node in graph.nodes}
    found = run_graph(graph, board, portable, images, folder / f"{network.case}_{PORTABLE}")
    rows = [_network_row(network, board, graph, PORTABLE, found)]
    chosen = select_kernels(graph, board, SelectionOptions(), Budget()).choices
    if any(choice.variant != PORTABLE for choice in chosen):
        found = run_graph(graph, board, {}, images, folder / f"{network.case}_{SELECTED}")
        rows.append(_network_row(network, board, graph, SELECTED, found))
    return rows


def _network_row(
    network: Network, board: Board, graph: Graph, variant: str, found: Measured
) -> Row:
    costs = found.costs.costs.sum(axis=1)
    macs = 0
    for node in graph.nodes:
        assert isinstance(node.op, DeviceOp)
        macs += node.op.macs([graph.tensors[name] for name in node.sources])
    return Row(
        case=network.case,
        cpu=board.cpu,
        variant=variant,
        machine=machine_name(board),
        images=len(costs),
        macs=macs,
        instructions=float(costs.mean()),
        minimum=int(costs.min()),
        maximum=int(costs.max()),
        estimated=round(sum(choice.cost.instructions for choice in found.choices)),
    )
