"""The benchmark's numbers come from machines that run what the product builds."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mcubnn.board import load_board
from mcubnn.build.toolchain import ARM_GCC, QEMU
from mcubnn.pipeline import CompileOptions, compile_model
from tests.bench.machines import M0_ON_M3, boards, machine_name
from tests.bench.measuring import network_rows, run_graph
from tests.bench.networks import networks
from tests.bench.rows import PORTABLE

pytestmark = [
    pytest.mark.target,
    pytest.mark.skipif(
        shutil.which(ARM_GCC) is None or shutil.which(QEMU) is None,
        reason=f"needs {ARM_GCC} and {QEMU}",
    ),
]


def test_cortex_m0_code_executes_as_many_instructions_on_a_cortex_m3(tmp_path: Path) -> None:
    digits = networks()[0]
    graph = compile_model(digits.model, CompileOptions(digits.options)).graph
    portable = {node.name: PORTABLE for node in graph.nodes}
    m0_on_m3 = boards()[0]
    assert machine_name(m0_on_m3) == M0_ON_M3
    costs = [
        run_graph(graph, board, portable, digits.pixels(), tmp_path / board.id).costs.costs
        for board in (load_board("qemu-microbit"), m0_on_m3)
    ]
    np.testing.assert_array_equal(costs[0], costs[1])


def test_a_second_run_gives_the_same_counts(tmp_path: Path) -> None:
    digits = networks()[0]
    board = load_board("qemu-mps2-an386")
    first, second = (network_rows(digits, board, tmp_path) for _ in range(2))
    assert first == second
    assert first[0].variant == PORTABLE
    assert first[0].instructions > 0
