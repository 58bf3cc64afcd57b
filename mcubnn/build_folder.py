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

FORMAT = 1
_MARKER = "build.json"


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
    def writing(self) -> Iterator[None]:
        """Guard a build: a folder that was new disappears again if the build fails.

        Raises:
            UsageError: the folder holds something that is not a build.
        """
        is_new = not self.path.exists() or not any(self.path.iterdir())
        if not is_new and not (self.path / _MARKER).is_file():
            raise UsageError(
                f"--out {self.path}: exists and is not a build of mcubnn",
                "choose another folder, or delete this one",
            )
        try:
            yield
        except BaseException as error:
            if is_new:
                self._discard(error)
            raise

    def _discard(self, error: BaseException) -> None:
        """Remove the folder; a log it holds moves beside it and the message follows."""
        log = self.firmware / "build.log"
        if isinstance(error, BuildError) and log.is_file():
            kept = self.path.with_name(f"{self.path.name}.log")
            shutil.copyfile(log, kept)
            error.message = error.message.replace(str(log), str(kept))
        shutil.rmtree(self.path, ignore_errors=True)

    def save(
        self,
        model: SavedModel,
        board_id: str,
        kernels: Mapping[str, Any],
        report: Mapping[str, Any],
    ) -> None:
        """Write everything but the firmware; the marker comes last."""
        text, arrays = dump_graph(model.graph)
        (self.path / "graph.json").write_text(text, encoding="utf-8")
        (self.path / "graph.npz").write_bytes(arrays)
        self.source.write_bytes(model.onnx)
        self.report.write_text(json.dumps(report, indent=1), encoding="utf-8")
        marker = {
            "format": FORMAT,
            "model": model.graph.name,
            "board": board_id,
            "input": dataclasses.asdict(model.input),
            "kernels": kernels,
        }
        (self.path / _MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")

    def load(self) -> tuple[SavedModel, str, Mapping[str, Any]]:
        """The model, the id of the board it was built for, and how its kernels were chosen.

        Raises:
            UsageError: this is no build folder, or it is damaged.
        """
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
