"""The benchmark's result: rows, their table, their JSON, and the comparison with a baseline."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

PORTABLE = "portable"
SELECTED = "selected"
"""Variant of a whole network whose kernels the compiler chose."""

TOLERANCE = 0.03
"""A row may need this share more instructions than its baseline."""


@dataclass(frozen=True)
class Row:
    """One case on one core with one kernel variant.

    Attributes:
        case: what was computed.
        cpu: the core that the code was compiled for.
        machine: what executed it.
        instructions: executed, mean over the images.
        minimum, maximum: over the images.
        estimated: by the cost model.
    """

    case: str
    cpu: str
    variant: str
    machine: str
    images: int
    macs: int
    instructions: float
    minimum: int
    maximum: int
    estimated: int

    @property
    def key(self) -> str:
        """The row's name in a baseline."""
        return f"{self.case} | {self.cpu} | {self.variant}"

    @property
    def per_32_macs(self) -> float:
        """Instructions for 32 multiply-accumulates."""
        return 32 * self.instructions / self.macs


@dataclass(frozen=True)
class Skipped:
    """A case that was not measured, and why."""

    case: str
    why: str


Baseline = Mapping[str, float]
"""Mean instructions by row."""


def read_baseline(path: Path) -> Baseline:
    """The committed counts; nothing if there are none."""
    if not path.is_file():
        return {}
    return dict(json.loads(path.read_text(encoding="utf-8"))["instructions"])


def write_baseline(path: Path, rows: Iterable[Row], compiler: str, old: Baseline) -> None:
    """Commit these counts; rows that were not measured this time keep theirs."""
    counts = dict(old) | {row.key: round(row.instructions, 1) for row in rows}
    document = {"compiler": compiler, "instructions": dict(sorted(counts.items()))}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def write_json(path: Path, rows: Iterable[Row], skipped: Iterable[Skipped], compiler: str) -> None:
    """Everything that was measured."""
    document = {
        "unit": "executed instructions per image, QEMU -icount; not cycles, not time",
        "compiler": compiler,
        "rows": [
            dataclasses.asdict(row) | {"per_32_macs": round(row.per_32_macs, 3)} for row in rows
        ],
        "skipped": [dataclasses.asdict(row) for row in skipped],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def regressions(rows: Iterable[Row], baseline: Baseline) -> list[str]:
    """A line for every row that needs clearly more instructions than before."""
    return [
        f"{row.key}: {row.instructions:,.0f} instructions, baseline {baseline[row.key]:,.0f} "
        f"({100 * change:+.1f} %)"
        for row in rows
        if (change := _change(row, baseline)) is not None and change > TOLERANCE
    ]


def unmeasured(rows: Iterable[Row], baseline: Baseline) -> list[str]:
    """Rows of the baseline that were not measured this time."""
    return sorted(set(baseline) - {row.key for row in rows})


def _change(row: Row, baseline: Baseline) -> float | None:
    before = baseline.get(row.key)
    return None if before is None else row.instructions / before - 1


def table(rows: Sequence[Row], baseline: Baseline) -> Table:
    """One line a row; `faster` is the portable reference's count over this one's, same run."""
    portable = {(r.case, r.cpu): r.instructions for r in rows if r.variant == PORTABLE}
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("case", "core", "variant"):
        drawn.add_column(heading, no_wrap=True)
    for heading in ("instructions", "/32 MAC", "faster", "model", "baseline"):
        drawn.add_column(heading, no_wrap=True, justify="right")
    for row in sorted(rows, key=lambda r: (r.case, r.cpu, r.variant != PORTABLE, r.variant)):
        change = _change(row, baseline)
        ratio = portable.get((row.case, row.cpu), row.instructions) / row.instructions
        drawn.add_row(
            row.case,
            row.cpu.removeprefix("cortex-"),
            row.variant,
            f"{row.instructions:,.0f}",
            f"{row.per_32_macs:.2f}",
            f"{ratio:.2f}x",
            f"{100 * (row.estimated / row.instructions - 1):+.0f} %",
            "new" if change is None else f"{100 * change:+.1f} %",
        )
    return drawn
