"""One report object: every number has unit and origin, text and JSON show the same."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console, RenderableType

from mcubnn.artifacts import Comparison, DataSet, Firmware, RunResult, StackUsage
from mcubnn.board import load_board
from mcubnn.codegen.generate import generate
from mcubnn.errors import UsageError
from mcubnn.ir.graph import Note
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from mcubnn.report import report as report_module
from mcubnn.report.document import read_report, to_document
from mcubnn.report.inspection import inspect_graph
from mcubnn.report.report import Report, make_report
from mcubnn.report.summary import summarize
from mcubnn.report.text import (
    comparison_view,
    inspection_view,
    print_view,
    report_view,
    run_view,
)
from tests.architecture.models import every_operator, renamed

_ORIGINS = {
    getattr(report_module, name)
    for name in ("PLANNED", "ESTIMATED", "BOUND", "BUILT", "CALL_GRAPH", "COUNTED")
}


def _report(board_id: str) -> Report:
    board, graph = load_board(board_id), every_operator()[0]
    selected = select_kernels(graph, board, SelectionOptions(), Budget())
    plan = make_plan(selected.graph, board, Budget())
    image = Firmware(
        *(Path("firmware.elf"), board_id, "gcc 12", 4000, 3000, 40, 2000, 4096),
        stack=StackUsage(512, ("main",)),
    )
    return make_report(selected, plan, generate(selected.graph, plan), image, board)


@pytest.fixture(scope="module")
def report() -> Report:
    return _report("nucleo-f746")


def _text(view: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=300)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("board", ["nucleo-f746", "host"])
def test_every_figure_says_where_it_comes_from(board: str) -> None:
    made = _report(board)
    assert {figure.origin for figure in made.figures} <= _ORIGINS
    names = [figure.name for figure in made.figures]
    assert len(names) == len(set(names))
    assert all(figure.value >= 0 for figure in made.figures)


def test_totals_are_sums_of_their_parts(report: Report) -> None:
    def value(name: str) -> int:
        return report.figure(name).value

    assert value("total flash") == 4000 + 3000 + 40
    assert value("total RAM with stack") == 40 + 2000 + 512
    assert value("work per image") == sum(row.macs for row in report.layers)
    assert value("weights, thresholds") == sum(row.flash_bytes for row in report.layers)
    assert value("arena") >= max(row.ram_bytes for row in report.layers)
    assert report.figure("stack, worst case").limit == 4096


def test_host_reports_no_flash() -> None:
    assert not any("flash" in figure.name for figure in _report("host").figures)


def test_result_in_place_counts_once(report: Report) -> None:
    pool = next(row for row in report.layers if row.kernel.startswith("bit_max_pool"))
    before = report.layers[report.layers.index(pool) - 1]
    assert pool.ram_bytes < before.ram_bytes


def test_text_shows_every_number_of_the_json(report: Report) -> None:
    shown = _text(report_view(report))
    document = json.loads(json.dumps(to_document(report)))
    for row in document["layers"]:
        line = next(line for line in shown.splitlines() if line.startswith(row["name"]))
        for key in ("flash_bytes", "ram_bytes", "macs"):
            assert row[key] == 0 or f"{row[key]:,}" in line
    for figure in document["figures"]:
        assert f"{figure['value']:,}" in shown
        assert figure["origin"] in shown
    for note in document["notes"]:
        assert note in shown


def test_cheaper_kernel_that_was_not_chosen_does_not_look_so(report: Report) -> None:
    """Cycles decide; fewer instructions can take more of them."""
    for row in report.kernels:
        others = [a.cycles for a in row.alternatives if a.cycles is not None]
        assert all(row.cycles <= cycles for cycles in others)
    lines = _text(report_view(report)).splitlines()
    heading = next(line for line in lines if "kernel" in line)
    assert heading.split() == ["node", "kernel", "cycles", "instructions", "at", "most"]
    shown = [line.split() for line in lines[lines.index(heading) + 1 :]]
    for row in report.kernels:
        whole = (row.cycles, row.instructions, row.worst_instructions)
        at = next(i for i, words in enumerate(shown) if words[:1] == [row.name])
        assert shown[at][2:] == [row.variant, *(f"{number:,}" for number in whole)]
        usable = [a for a in row.alternatives if a.cycles is not None]
        assert shown[at + 1 : at + 1 + len(usable)] == [
            ["not", a.variant, f"{a.cycles:,}", f"{a.instructions:,}"] for a in usable
        ]


@pytest.mark.parametrize("width", [1, 40, 80])
def test_narrow_terminal_cuts_no_number_and_spells_no_name(report: Report, width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    print_view(report_view(report), console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for row in report.kernels:
        assert row.name[:12] in shown
        assert f" {row.worst_instructions:,}" in shown
    for figure in report.figures:
        assert f" {figure.value:,} " in shown


def test_saved_report_comes_back(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(to_document(report)))
    assert read_report(path) == report


@pytest.mark.parametrize("text", ["", "[]", "null", '{"layers": []}', '{"layers": [{"a": 1}]}'])
def test_damaged_report_is_reported(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="no readable report"):
        read_report(path)


def test_inspection_says_why_a_layer_is_not_binary() -> None:
    inspection = inspect_graph(every_operator()[1], ())
    rows = {row.becomes: row for row in inspection.rows}
    assert rows["threshold"].binary == "-"
    assert rows["int8_dense"].binary.startswith("no: weights stored as int8, not as bits: ")
    assert inspection.binary_mac_share == 0.0
    shown = _text(inspection_view(inspection))
    assert all(note in shown for note in inspection.notes)
    assert inspect_graph(every_operator()[0], ()).binary_mac_share == 1.0


def test_comparison_shows_what_was_not_compared() -> None:
    comparison = Comparison(3, 2, None, None, None, "not compared: [bold]why[/]", "host", 0.5)
    shown = _text(comparison_view(comparison))
    assert "2 of 3" in shown
    assert "not compared: [bold]why[/]" in shown
    assert "accuracy" not in shown


@pytest.mark.parametrize("labels", [np.array([0, 1, 1]), None])
def test_summary_of_a_run(labels: np.ndarray | None) -> None:
    scores = np.array([[5, 1], [1, 5], [5, 5]], np.int32)
    data = DataSet(np.zeros((3, 4), np.uint8), labels, "x.npz")
    summary = summarize("net", "host", data, RunResult(scores, 1.5, "host"))
    assert summary.classes == (0, 1, 0)  # the first of equal scores
    assert summary.accuracy == (None if labels is None else pytest.approx(2 / 3))
    shown = _text(run_view(summary))
    assert ("no labels" if labels is None else "66.67 %") in shown
    assert "not device time" in shown


def test_names_of_a_model_cannot_steer_the_terminal() -> None:
    hostile = "\x1b[31mred\x07\n[bold]x[/bold]" + "y" * 10_000
    graph = renamed(every_operator()[1], "net", node=hostile).with_notes(Note(hostile, "text"))
    shown = _text(inspection_view(inspect_graph(graph, ())))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "?[31mred? [bold]x[/bold]yyy" in shown
    rows = [line for line in shown.splitlines() if line.startswith("?[31m")]
    assert len(rows) == len(graph.nodes)


def test_long_names_leave_the_numbers_whole() -> None:
    graph = renamed(every_operator()[1], "net", node="/features/features.0/conv/Conv_of_a_block")
    inspection = inspect_graph(graph, ())
    console = Console(file=io.StringIO(), width=80)
    console.print(inspection_view(inspection))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for row in inspection.rows:
        assert not row.macs or f" {row.macs:,} " in shown
        assert f" {row.output} " in shown


def test_documents_hold_plain_values_only(report: Report) -> None:
    document = to_document(report)
    assert set(document) == {field.name for field in fields(report)}
    json.dumps(document, allow_nan=False)
