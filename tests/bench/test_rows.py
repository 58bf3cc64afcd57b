from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.__main__ import BASELINE
from tests.bench.rows import (
    Row,
    Skipped,
    read_baseline,
    regressions,
    table,
    unmeasured,
    write_baseline,
    write_json,
)

SLOW = Row("dense 8->4", "cortex-m4", "portable", "mps2-an386", 2, 32, 40.0, 30, 50, 44)
FAST = replace(SLOW, variant="f2c", instructions=8.0)


def test_a_row_knows_its_cost_for_32_macs() -> None:
    assert replace(SLOW, macs=64).per_32_macs == 20.0


@pytest.mark.parametrize(("instructions", "found"), [(41.19, 0), (41.21, 1), (1.0, 0)])
def test_more_than_three_percent_over_the_baseline_is_a_regression(
    instructions: float, found: int
) -> None:
    rows = [replace(SLOW, instructions=instructions), FAST]
    worse = regressions(rows, {SLOW.key: 40.0})
    assert len(worse) == found
    assert all(line.startswith("dense 8->4 | cortex-m4 | portable: 41") for line in worse)


def test_the_table_shows_the_ratio_to_the_portable_kernel_of_the_same_run() -> None:
    console = Console(width=110)
    with console.capture() as capture:
        console.print(table([FAST, SLOW], {SLOW.key: 39.0}))
    first, second = (line.split() for line in capture.get().splitlines()[1:])
    assert first[:7] == ["dense", "8->4", "m4", "portable", "40", "40.00", "1.00x"]
    assert second[:7] == ["dense", "8->4", "m4", "f2c", "8", "8.00", "5.00x"]
    assert (first[-2:], second[-1]) == (["+2.6", "%"], "new")


def test_a_new_baseline_keeps_rows_that_were_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert read_baseline(path) == {}
    write_baseline(path, [SLOW], "gcc", {"other": 7.0, SLOW.key: 1.0})
    assert read_baseline(path) == {SLOW.key: 40.0, "other": 7.0}
    assert unmeasured([SLOW], read_baseline(path)) == ["other"]


def test_json_holds_what_was_measured_and_what_was_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.json"
    write_json(path, [FAST], [Skipped("cnv", "not here")], "gcc 12")
    document = json.loads(path.read_text())
    assert document["rows"][0]["per_32_macs"] == 8.0
    assert document["skipped"] == [{"case": "cnv", "why": "not here"}]
    assert "not cycles" in document["unit"]


def test_the_committed_baseline_covers_four_cores() -> None:
    keys = read_baseline(BASELINE)
    for cpu in ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7"):
        assert f"digits | {cpu} | portable" in keys
        assert f"conv 3x3 64->64 | {cpu} | portable" in keys
