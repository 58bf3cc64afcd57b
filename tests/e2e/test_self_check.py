"""A pass with a defect: the build stops with a mismatch, before anything is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.passes import pipeline as passes
from mcubnn.passes.fuse_output_stage import fuse_output_stage
from tests.e2e.command_line import Command


def _inverted(graph: Graph) -> Graph:
    """The first layer's weights with the wrong sign."""
    nodes = [
        replace(n, op=replace(n.op, weights=-n.op.weights)) if isinstance(n.op, InputDense) else n
        for n in graph.nodes
    ]
    return with_nodes(graph, nodes)


@pytest.mark.parametrize("command", ["build", "inspect", "run"])
def test_faulty_lowering_is_found(
    command: str, mcubnn: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(graph: Graph) -> Graph:
        return _inverted(fuse_output_stage(graph))

    monkeypatch.setattr(passes, "fuse_output_stage", faulty)
    outcome = mcubnn(command, model)
    outcome.assert_reported(
        7, "self-check: .* first at node node_s", "expected -?1, found -?1", "please report it"
    )
    assert not list(Path.cwd().rglob("*"))


def test_faulty_pass_behind_the_lowering_is_named(
    mcubnn: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "fold_constant_channels", _inverted)
    mcubnn("build", model).assert_reported(7, "the pass _inverted changes the scores")
