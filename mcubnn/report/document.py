"""Reports as JSON documents and back: the machine's view of the same object people see."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from mcubnn.errors import UsageError
from mcubnn.report.report import Alternative, Figure, KernelRow, LayerRow, Report


def to_document(report: object) -> dict[str, Any]:
    """Any of the report objects as plain dictionaries, lists, numbers and strings."""
    assert dataclasses.is_dataclass(report)
    assert not isinstance(report, type)
    return dataclasses.asdict(report)


def read_report(path: Path) -> Report:
    """Load the report that a build saved.

    Raises:
        UsageError: the file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["layers"] = tuple(LayerRow(**row) for row in document["layers"])
        document["kernels"] = tuple(_kernel_row(row) for row in document["kernels"])
        document["figures"] = tuple(Figure(**row) for row in document["figures"])
        document["notes"] = tuple(document["notes"])
        return Report(**document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: no readable report: {error}", "build the model again") from error


def _kernel_row(row: dict[str, Any]) -> KernelRow:
    alternatives = tuple(Alternative(**other) for other in row["alternatives"])
    return KernelRow(**(row | {"alternatives": alternatives}))
