"""Networks of the torch zoo, exported, compiled and built once per test process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mcubnn.artifacts import CProgram, Firmware, InputOptions, MemoryPlan
from mcubnn.board import Board, load_board
from mcubnn.build.firmware import build_firmware, build_host
from mcubnn.codegen.generate import generate
from mcubnn.codegen.project import project_files
from mcubnn.ir.types import Array
from mcubnn.pipeline import CompileOptions, SavedModel, compile_model
from mcubnn.plan.limits import Budget
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from tests.models.torch_zoo import Case, export, zoo

EXPORTERS: Mapping[str, bool] = {"dynamo": True, "legacy": False}


def _on_int8_grid(case: Case) -> Case:
    """Round the weights of real-valued layers so that int8 holds them without a loss.

    Then the compiler has nothing to approximate, and the classes must equal the framework's.
    """
    first = True
    for layer in case.module.modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        if type(layer) in {nn.Conv2d, nn.Linear}:
            _round(layer, torch.tensor(case.std) if first else torch.ones(1))
        first = False
    return case


def _round(layer: nn.Conv2d | nn.Linear, std: torch.Tensor) -> None:
    """Whole multiples of 1/127 of each output channel's largest weight, after dividing by std."""
    with torch.no_grad():
        factor = std.reshape(-1, *(1,) * (layer.weight.dim() - 2)) if len(std) > 1 else std
        weights = layer.weight / factor
        largest = weights.abs().amax(tuple(range(1, weights.dim())), keepdim=True)
        layer.weight.copy_(torch.round(weights / largest * 127) * (largest / 127) * factor)


CASES: Mapping[str, Case] = {case.name: _on_int8_grid(case) for case in zoo()}


@dataclass(frozen=True)
class Compiled:
    """A network of the zoo as device operators, and the file it came from."""

    case: Case
    path: Path
    model: SavedModel


@dataclass(frozen=True)
class Generated:
    """Its C for one board."""

    board: Board
    plan: MemoryPlan
    program: CProgram
    project: Mapping[str, str]


class Workshop:
    """Compiles networks and builds them into one folder; each once.

    Args:
        folder: of this process.
        models: exported networks, shared by the processes of a test run.
        cache_folder: compiled objects, shared likewise.
    """

    def __init__(self, folder: Path, models: Path, cache_folder: Path) -> None:
        self._folder = folder
        self._models = models
        self._cache = cache_folder
        self.compiled = cache(self._compile)

    def _compile(self, name: str, exporter: str) -> Compiled:
        case = CASES[name]
        folder = self._models / f"{name}_{exporter}"
        if not folder.exists():
            own = self._folder / folder.name
            own.mkdir()
            export(case, own / f"{name}.onnx", dynamo=EXPORTERS[exporter])
            self._models.mkdir(exist_ok=True)
            with suppress(OSError):  # another process was quicker
                own.rename(folder)
        path = folder / f"{name}.onnx"
        options = InputOptions(scale=case.input_scale, mean=case.mean, std=case.std)
        return Compiled(case, path, compile_model(path, CompileOptions(options)))

    def generated(self, compiled: Compiled, board_id: str) -> Generated:
        """The C of a network for a board."""
        board = load_board(board_id)
        selected = select_kernels(compiled.model.graph, board, SelectionOptions(), Budget())
        plan = make_plan(selected.graph, board, Budget())
        program = generate(selected.graph, plan)
        return Generated(
            board, plan, program, project_files(board, program.prefix, plan.arena_region)
        )

    def host(self, made: Generated, name: str) -> Firmware:
        """The sanitized program for this computer."""
        folder = self._folder / "host" / name
        return build_host(made.program, made.project, folder, sanitize=True, cache=self._cache)

    def firmware(self, made: Generated, name: str) -> Firmware:
        """The image for a microcontroller."""
        return build_firmware(made.program, made.project, made.board, self._folder / name)


def images(case: Case, count: int) -> Array:
    """Random pixels in the compiler's layout, channels last."""
    pixels = case.pixels(count, seed=5)
    return np.ascontiguousarray(np.moveaxis(pixels, 1, -1)) if pixels.ndim == 4 else pixels
