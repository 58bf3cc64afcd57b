"""The folder of a build: what is in it, writing it whole or not at all, and reading it back.

build.json      model name, board, input options; written last, so its presence means complete
graph.json/npz  the lowered graph
source.onnx     the model file, for comparison with the framework
report.json     the footprint
firmware/       PlatformIO project (`pio run` works there); host/ for the host
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcubnn.artifacts import InputLayout, InputOptions
from mcubnn.errors import BuildError, UsageError
from mcubnn.ir.graph import Graph
from mcubnn.ir.serialize import dump_graph, load_graph
from mcubnn.ir.types import DType
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import RequantizeStage, ScoreStage, ThresholdStage
from mcubnn.ops.registry import operators
from mcubnn.transaction import Transaction, replace_file

FORMAT = 1
_MARKER = "build.json"
_PARTS = ("firmware", "graph.json", "graph.npz", "source.onnx", "report.json")


@dataclass(frozen=True)
class SavedModel:
    """A lowered model and what it was made from.

    Attributes:
        onnx: the model file's bytes, external data included.
    """

    graph: Graph
    input: InputOptions
    onnx: bytes


@dataclass(frozen=True)
class BuildFolder:
    """One build folder."""

    path: Path

    @property
    def firmware(self) -> Path:
        """The PlatformIO project, or the host build's sources and executable."""
        return self.path / "firmware"

    @property
    def source(self) -> Path:
        """The model file."""
        return self.path / "source.onnx"

    @property
    def report(self) -> Path:
        """The footprint report."""
        return self.path / "report.json"

    @contextmanager
    def writing(self, program: str) -> Iterator[None]:
        """Guard a build: if it fails the folder holds what it held before.

        Args:
            program: tells what is built from everything else. The same program again needs no
                guard, and no copy of what is there.

        Raises:
            UsageError: the folder holds something that is not a build.
        """
        if self._holds(program):
            yield
            return
        with self._transaction.changing():
            try:
                yield
            except BuildError as error:
                self._move_log(error)
                raise

    @property
    def _transaction(self) -> Transaction:
        return Transaction(self.path, _PARTS, _MARKER)

    def _holds(self, program: str) -> bool:
        try:
            return bool(self.marker()["program"] == program)
        except (UsageError, KeyError):
            return False

    def _move_log(self, error: BuildError) -> None:
        """Put the log beside the folder, where it stays; the message follows."""
        log = self.firmware / "build.log"
        if log.is_file():
            path = self.path.resolve()  # `.` has no name
            kept = path.with_name(f"{path.name}.log")
            shutil.copyfile(log, kept)
            error.message = error.message.replace(str(log), str(kept))

    def save(
        self,
        model: SavedModel,
        board_id: str,
        kernels: Mapping[str, Any],
        report: Mapping[str, Any],
        program: str,
    ) -> None:
        """Write everything but the firmware; the marker comes last."""
        text, arrays = dump_graph(model.graph)
        replace_file(self.path / "graph.json", text.encode())
        replace_file(self.path / "graph.npz", arrays)
        replace_file(self.source, model.onnx)
        replace_file(self.report, json.dumps(report, indent=1).encode())
        marker = {
            "format": FORMAT,
            "model": model.graph.name,
            "board": board_id,
            "input": dataclasses.asdict(model.input),
            "kernels": kernels,
            "program": program,
        }
        replace_file(self.path / _MARKER, json.dumps(marker, indent=1).encode())

    def load(self) -> tuple[SavedModel, str, Mapping[str, Any]]:
        """The model, the id of the board it was built for, and how its kernels were chosen.

        Raises:
            UsageError: this is no build folder, or it is damaged.
        """
        self._transaction.settle()
        marker = self.marker()
        try:
            options = _input_options(marker["input"])
            text = (self.path / "graph.json").read_text(encoding="utf-8")
            arrays = (self.path / "graph.npz").read_bytes()
            onnx = self.source.read_bytes()
            board, kernels = str(marker["board"]), dict(marker["kernels"])
            graph = load_graph(text, arrays, constructors())
        except UsageError as error:
            raise UsageError(f"{self.path}: {error.message}", error.hint) from error
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{self.path}: damaged build folder: {error}", "build the model again"
            ) from error
        return SavedModel(graph, options, onnx), board, kernels

    def marker(self) -> dict[str, Any]:
        """The contents of build.json.

        Raises:
            UsageError: this is no build folder, or one of another version.
        """
        try:
            marker = json.loads((self.path / _MARKER).read_text(encoding="utf-8"))
            if marker["format"] != FORMAT:
                raise ValueError(f"format {marker['format']}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self.path}: not a build folder of this version ({error})",
                "give a folder written by `mcubnn build`, or a model file",
            ) from error
        return dict(marker)


def latest_build(root: Path) -> Path | None:
    """The build folder written last below `root`."""
    markers = sorted(root.glob(f"*/{_MARKER}"), key=lambda path: path.stat().st_mtime)
    return markers[-1].parent if markers else None


def _input_options(document: Mapping[str, Any]) -> InputOptions:
    return InputOptions(
        dtype=DType(document["dtype"]),
        scale=float(document["scale"]),
        mean=tuple(float(v) for v in document["mean"]),
        std=tuple(float(v) for v in document["std"]),
        layout=None if document["layout"] is None else InputLayout(document["layout"]),
    )


def constructors() -> dict[str, Callable[..., Any]]:
    """Every class that a graph file may name."""
    parts = (Window, BitMaxPool, ThresholdStage, RequantizeStage, ScoreStage)
    return dict(operators()) | {part.__name__: part for part in parts}
