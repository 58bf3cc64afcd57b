"""What a streamed run showed."""

from __future__ import annotations

from dataclasses import dataclass

from mcubnn.artifacts import DataSet, RunResult


@dataclass(frozen=True)
class RunSummary:
    """Classes and accuracy of a run.

    Attributes:
        accuracy: share of correct classes; None without labels.
        seconds: wall time on this computer, transfers included; never a device time.
        classes: the class of each image.
    """

    model: str
    board: str
    runner: str
    images: int
    accuracy: float | None
    seconds: float
    classes: tuple[int, ...]


def summarize(model: str, board: str, data: DataSet, result: RunResult) -> RunSummary:
    """Classes and accuracy of a run."""
    correct = None if data.labels is None else float((result.classes == data.labels).mean())
    return RunSummary(
        model=model,
        board=board,
        runner=result.runner,
        images=len(data.images),
        accuracy=correct,
        seconds=result.seconds,
        classes=tuple(int(c) for c in result.classes),
    )
