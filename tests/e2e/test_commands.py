"""What commands print, and how `validate` judges."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mcubnn import pipeline
from mcubnn.artifacts import CProgram, MemoryPlan
from mcubnn.codegen.generate import generate
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.defs.input_dense import InputDense
from tests.e2e.command_line import CLASSES, INPUT_SHAPE, Command, write_data


@pytest.fixture
def built(mcubnn: Command, model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    assert mcubnn("build", model, "--board", "host", "--out", folder).code == 0
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data.npz")


def _document(mcubnn: Command, *words: object) -> Any:
    outcome = mcubnn(*words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_every_reporting_command_speaks_json(
    mcubnn: Command, model: Path, built: Path, data: Path
) -> None:
    assert _document(mcubnn, "inspect", model)["rows"][0]["becomes"] == "input_dense"
    assert _document(mcubnn, "build", model, "--board", "host")["board"] == "host"
    assert _document(mcubnn, "report", built)["model"] == "small"
    assert _document(mcubnn, "run", built, "--data", data)["images"] == 6
    checked = _document(mcubnn, "validate", built, "--data", data)
    assert (checked["images"], checked["identical"], checked["difference"]) == (6, 6, None)
    assert {board["id"] for board in _document(mcubnn, "boards")} >= {"host", "nucleo-f746"}
    assert all("found" in check for check in json.loads(mcubnn("doctor", "--json").out))


def test_text_and_json_show_the_same_figures(mcubnn: Command, built: Path) -> None:
    document = _document(mcubnn, "report", built)
    shown = mcubnn("report", built).out
    for figure in document["figures"]:
        line = next(line for line in shown.splitlines() if line.startswith(figure["name"]))
        assert f"{figure['value']:,}" in line
        assert figure["origin"] in line


def test_run_of_a_model_file_builds_it_first(mcubnn: Command, model: Path, data: Path) -> None:
    outcome = mcubnn("run", model, "--board", "host", "--data", data, "--limit", 3)
    assert outcome.code == 0, outcome.err
    assert "of 3 images" in outcome.out
    assert (Path.cwd() / "build" / "small-host" / "build.json").is_file()


def test_building_twice_gives_the_same_files(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert mcubnn("build", model, "--board", "host", "--out", tmp_path / name).code == 0
    for path in (tmp_path / "a").rglob("*"):
        if path.suffix in {".c", ".h", ".json", ".onnx", ".npz"}:
            twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert path.read_bytes() == twin.read_bytes(), path


def test_building_over_a_build_is_allowed(mcubnn: Command, model: Path, built: Path) -> None:
    assert mcubnn("build", model, "--board", "host", "--out", built).code == 0


def test_dump_ir_writes_every_step(mcubnn: Command, model: Path, tmp_path: Path) -> None:
    assert mcubnn("build", model, "--board", "host", "--dump-ir", tmp_path / "ir").code == 0
    names = sorted(path.name for path in (tmp_path / "ir").iterdir())
    assert names[0] == "00_imported.txt"
    assert any(name.endswith("_fuse_output_stage.txt") for name in names)


def test_accuracy_below_the_minimum_fails_after_the_report_is_written(
    mcubnn: Command, built: Path, tmp_path: Path
) -> None:
    images = np.zeros((4, *INPUT_SHAPE), np.uint8)
    scores = _document(mcubnn, "run", built, "--data", write_data(tmp_path / "a.npz", images))
    wrong = np.array([(scores["classes"][0] + 1) % CLASSES] * 4)
    data = write_data(tmp_path / "b.npz", images, wrong)
    junit = tmp_path / "junit.xml"
    words = ("validate", built, "--data", data, "--min-accuracy", 0.5, "--junit", junit)
    outcome = mcubnn(*words)
    outcome.assert_reported(7, r"accuracy: 0.00 % is below the minimum of 50.00 %")
    suite = ET.parse(junit).getroot()
    assert suite.get("failures") == "1"
    assert suite.find("testcase[@name='accuracy']/failure") is not None
    assert suite.find("testcase[@name='bit_exact']/failure") is None
    assert json.loads(mcubnn(*words, "--json").out)["accuracy"] == 0.0


def test_agreement_below_the_minimum_fails(mcubnn: Command, model: Path, data: Path) -> None:
    """Other pixels than the framework's: the normalisation is wrong on purpose."""
    words = ("validate", model, "--board", "host", "--data", data, "--min-agreement", 1.0)
    outcome = mcubnn(*words)
    assert outcome.code in {0, 7}
    assert mcubnn(*words[:-2]).code == 0


def _corrupt(graph: Graph, index: int) -> Graph:
    """One weight of one node turned."""
    node = graph.nodes[index]
    assert isinstance(node.op, BinaryDense | InputDense)
    weights = node.op.weights.copy()
    weights[3] *= -1
    nodes = list(graph.nodes)
    nodes[index] = replace(node, op=replace(node.op, weights=weights))
    return with_nodes(graph, nodes)


@pytest.mark.parametrize(("index", "name"), [(0, "node_z"), (1, "node_y")])
def test_first_differing_node_is_named(
    index: int, name: str, mcubnn: Command, model: Path, data: Path
) -> None:
    def generate_wrong(graph: Graph, plan: MemoryPlan) -> CProgram:
        return generate(_corrupt(graph, index), plan)

    junit = data.with_name("junit.xml")
    words = ("validate", model, "--board", "host", "--data", data, "--junit", junit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "generate", generate_wrong)
        outcome = mcubnn(*words)
    outcome.assert_reported(
        7, rf"image \d+: first at node {name} \((input|binary)_dense\), index \[3\]", "--limit"
    )
    failure = ET.parse(junit).getroot().find("testcase[@name='bit_exact']/failure")
    assert failure is not None
    assert name in (failure.text or "")


def test_help_lists_every_command(mcubnn: Command) -> None:
    outcome = mcubnn("--help")
    assert outcome.code == 0
    wanted = "build inspect run stream validate profile report boards doctor setup"
    assert [w for w in wanted.split() if not re.search(rf"\b{w}\b", outcome.out)] == []


def test_defect_of_ours_exits_70_with_a_traceback(
    mcubnn: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "generate", crash)
    outcome = mcubnn("build", model, "--board", "host")
    assert outcome.code == 70
    assert "ZeroDivisionError" in outcome.err
    assert "please report it" in outcome.err
    assert not (Path.cwd() / "build" / "small-host").exists()


def test_interrupt_leaves_no_folder(
    mcubnn: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check_built", interrupt)
    outcome = mcubnn("build", model, "--board", "host")
    assert outcome.code != 0
    assert "Traceback" not in outcome.err
    assert not (Path.cwd() / "build" / "small-host").exists()
