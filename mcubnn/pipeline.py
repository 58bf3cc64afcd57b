"""The stages in order; the only module that imports them. Each function returns artifacts.

compile_model   model file -> lowered graph
build_graph     lowered graph -> program, firmware and report, saved in a build folder
stream_images   build + data -> scores
profile_build   build + data -> what every node takes
validate_build  build + data -> comparison with the reference and the framework
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcubnn.artifacts import (
    Comparison,
    CProgram,
    DataSet,
    Difference,
    Firmware,
    InputOptions,
    MemoryPlan,
    RunResult,
)
from mcubnn.board import Board, load_board
from mcubnn.build.doctor import Check, diagnose, setup
from mcubnn.build.firmware import HOST_BOARD_ID, build_firmware, build_host
from mcubnn.build.folder import digest
from mcubnn.build_folder import BuildFolder, SavedModel
from mcubnn.codegen.generate import generate
from mcubnn.codegen.project import project_files
from mcubnn.errors import MismatchError, UsageError
from mcubnn.frontend.importer import import_model
from mcubnn.frontend.source import self_contained
from mcubnn.ir.graph import Graph
from mcubnn.ir.printer import format_graph
from mcubnn.ir.types import Array
from mcubnn.ops.evaluate import evaluate_graph, evaluate_output
from mcubnn.passes.check_lowering import check_lowering
from mcubnn.passes.pipeline import lower, steps
from mcubnn.plan.goals import Goal
from mcubnn.plan.limits import Budget, check_built
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels, selection_options
from mcubnn.report.document import read_report, to_document
from mcubnn.report.inspection import Inspection, inspect_graph
from mcubnn.report.profile import Profile, make_profile
from mcubnn.report.report import Report, make_report
from mcubnn.report.summary import RunSummary, summarize
from mcubnn.run.profile import measure
from mcubnn.run.runner import Deadlines, Runner
from mcubnn.run.session import make_runner, stream
from mcubnn.validate.compare import compare, first_mismatch, score_difference
from mcubnn.validate.dataset import load_dataset
from mcubnn.validate.float_model import float_classes
from mcubnn.validate.junit import junit_xml
from mcubnn.validate.locate import locate

Progress = Callable[[str, int, int], None]
"""Called with the name of a phase, the number of images done and the number of images."""

CALIBRATION_IMAGES = 256

LOW_AGREEMENT = 0.95
"""Below this share of equal classes a validation says what to check."""
PROFILE_REPLY_S = 300.0
"""How long one profiled inference may take; an emulator that counts instructions is slow."""

__all__ = [
    "Budget",
    "BuildOptions",
    "Built",
    "Check",
    "CompileOptions",
    "Goal",
    "InputOptions",
    "SavedModel",
    "SelectionOptions",
    "build_graph",
    "compile_model",
    "diagnose",
    "inspect_model",
    "junit_xml",
    "load_images",
    "open_build",
    "profile_build",
    "read_report",
    "require_passed",
    "run_images",
    "setup",
    "to_document",
    "validate_build",
]


@dataclass(frozen=True)
class CompileOptions:
    """What the user says about a model.

    Attributes:
        calibrate: data file whose images set the ranges of real-valued activations, or None.
        dump_ir: folder for the graph after every pass, or None.
    """

    input: InputOptions = field(default_factory=InputOptions)
    calibrate: Path | None = None
    dump_ir: Path | None = None


@dataclass(frozen=True)
class BuildOptions:
    """What the user says about a build."""

    budget: Budget = field(default_factory=Budget)
    kernels: SelectionOptions = field(default_factory=SelectionOptions)


@dataclass(frozen=True)
class Built:
    """A build and everything it was made from."""

    model: SavedModel
    board: Board
    plan: MemoryPlan
    program: CProgram
    firmware: Firmware
    report: Report
    folder: BuildFolder


def compile_model(path: Path, options: CompileOptions) -> SavedModel:
    """Import a model file and lower it to device operators.

    Raises:
        ModelError: the file cannot be read or lowered.
        UsageError: the options contradict the model.
        MismatchError: the passes changed what the network computes, which is a defect.
    """
    graph = import_model(path, options.input.layout)
    calibration = _calibration(graph, options)
    if options.dump_ir is not None:
        _dump(graph, options.dump_ir, options.input, calibration)
    stages = lower(graph, options.input, calibration)
    notes = check_lowering(graph, stages, options.input, calibration)
    return SavedModel(stages[-1][1].with_notes(*notes), options.input, self_contained(path))


def inspect_model(
    path: Path,
    options: CompileOptions,
    board_id: str | None = None,
    kernels: SelectionOptions | None = None,
) -> Inspection:
    """What a model becomes, and with a board also by which kernels; nothing is built."""
    graph = compile_model(path, options).graph
    if board_id is None:
        return inspect_graph(graph, ())
    chosen = select_kernels(graph, load_board(board_id), kernels or SelectionOptions(), Budget())
    return inspect_graph(graph, chosen.choices)


def _calibration(graph: Graph, options: CompileOptions) -> Array | None:
    if options.calibrate is None:
        return None
    pixels = graph.tensors[graph.input].with_dtype(options.input.dtype)
    outputs = graph.tensors[graph.output].elements
    layout = options.input.layout
    data = load_dataset(
        options.calibrate, pixels, CALIBRATION_IMAGES, outputs=outputs, layout=layout
    )
    return data.images


def _dump(graph: Graph, folder: Path, options: InputOptions, calibration: Array | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "00_imported.txt").write_text(format_graph(graph), encoding="utf-8")
    for index, (name, result) in enumerate(steps(graph, options, calibration), start=1):
        (folder / f"{index:02d}_{name}.txt").write_text(format_graph(result), encoding="utf-8")


def build_graph(
    model: SavedModel, board_id: str, out: Path, options: BuildOptions | None = None
) -> Built:
    """Choose kernels, plan, generate, build and measure; everything lands in `out`.

    Raises:
        BudgetError: it does not fit the board or the budget.
        BuildError: a tool is missing or the C build failed; `out` is as it was before.
        UsageError: unknown board, or `out` holds something else.
    """
    board = load_board(board_id)
    wanted = options or BuildOptions()
    selected = select_kernels(model.graph, board, wanted.kernels, wanted.budget)
    plan = make_plan(selected.graph, board, wanted.budget)
    program = generate(selected.graph, plan)
    folder = BuildFolder(out)
    project = project_files(board, program.prefix, plan.arena_region)
    sources = digest(dict(program.files) | project)
    with folder.writing(sources):
        firmware = _firmware(program, project, board, folder.firmware)
        check_built(firmware, board, wanted.budget)
        report = make_report(selected, plan, program, firmware, board)
        folder.save(model, board.id, to_document(wanted.kernels), to_document(report), sources)
    return Built(model, board, plan, program, firmware, report, folder)


def _firmware(
    program: CProgram, project: Mapping[str, str], board: Board, folder: Path
) -> Firmware:
    if board.id == HOST_BOARD_ID:
        return build_host(program, project, folder)
    return build_firmware(program, project, board, folder)


def open_build(out: Path, board_id: str | None = None) -> Built:
    """A build made earlier; brought up to date, or built beside it for another board.

    Raises:
        UsageError: `out` is no build folder.
    """
    model, built_for, kernels = BuildFolder(out).load()
    wanted = board_id or built_for
    chosen = selection_options(kernels)
    if wanted == built_for:
        return build_graph(model, wanted, out, BuildOptions(kernels=chosen))
    elsewhere = BuildOptions(kernels=replace(chosen, overrides=()))  # kernels differ by core
    beside = out.resolve().with_name(f"{model.graph.name}-{wanted}")  # `.` has no name
    return build_graph(model, wanted, beside, elsewhere)


def load_images(built: Built, path: Path, limit: int | None) -> DataSet:
    """Images and labels in the build's input layout.

    Raises:
        UsageError: the file does not hold what the model reads.
    """
    graph = built.model.graph
    outputs = graph.tensors[graph.output].elements
    kind, layout = graph.tensors[graph.input], built.model.input.layout
    return load_dataset(path, kind, limit, outputs=outputs, layout=layout)


@contextmanager
def _runner(built: Built, port: str | None) -> Iterator[Runner]:
    board = None if built.board.id == HOST_BOARD_ID else built.board
    if board is None and port is not None:
        raise UsageError(
            f"--port {port}: this build is for this computer, which has no port",
            "name the board at the other end with --board",
        )
    with make_runner(built.firmware, board, port) as runner:
        yield runner


def _stream(built: Built, data: DataSet, runner: Runner, progress: Progress) -> RunResult:
    def advance(done: int, total: int) -> None:
        progress(runner.description, done, total)

    return stream(runner, data.images, built.program.model_hash, advance)


def run_images(built: Built, data: DataSet, port: str | None, progress: Progress) -> RunSummary:
    """Run every image on the build's board.

    Raises:
        TargetError: the emulator, the board or the line failed.
    """
    with _runner(built, port) as runner:
        result = _stream(built, data, runner, progress)
    return summarize(built.model.graph.name, built.board.id, data, result)


def profile_build(built: Built, data: DataSet, port: str | None, progress: Progress) -> Profile:
    """What every node takes: instructions on an emulator, cycles or ticks on a board.

    Raises:
        TargetError: the emulator, the board or the line failed, or it has no counter.
    """
    board = None if built.board.id == HOST_BOARD_ID else built.board
    # Firmware for an emulated board says nothing about cycles, even if a port leads to it.
    clock_hz = built.board.clock_hz if built.board.runner == "serial" else 0
    limits = Deadlines(reply_s=PROFILE_REPLY_S)
    with make_runner(built.firmware, board, port, limits, count_instructions=True) as runner:

        def advance(done: int, total: int) -> None:
            progress(runner.description, done, total)

        found = measure(runner, data.images, built.program.model_hash, clock_hz, advance)
    return make_profile(built.report, built.board.cpu, found)


def validate_build(built: Built, data: DataSet, port: str | None, progress: Progress) -> Comparison:
    """Compare every output of a device with the reference, and the classes with onnxruntime's.

    Raises:
        TargetError: the emulator, the board or the line failed.
    """
    with _runner(built, port) as runner:
        result = _stream(built, data, runner, progress)
        expected = reference_scores(built, data, progress)
        difference = _difference(built, data, result, expected, runner)
    framework = float_classes(built.folder.source, data.images, built.model.input)
    found = compare(result, expected, data.labels, framework, difference)
    notes = tuple(f"{note.node}: {note.text}" for note in built.model.graph.notes)
    return replace(found, notes=(*notes, *_doubts(found)))


def _doubts(comparison: Comparison) -> tuple[str, ...]:
    """What speaks against the translation although the device computes what it was told to."""
    agreement = comparison.float_agreement
    if agreement is None or agreement >= LOW_AGREEMENT:
        return ()
    return (
        f"only {100 * agreement:.1f} % of the classes equal the framework's: check the input "
        "normalisation first, then layers that are not binary (`mcubnn inspect`)",
    )


def reference_scores(built: Built, data: DataSet, progress: Progress) -> Array:
    """int32 `[N, outputs]` scores of the numpy reference."""

    def advance(done: int, total: int) -> None:
        progress("numpy reference", done, total)

    return evaluate_output(built.model.graph, data.images, advance).reshape(len(data.images), -1)


def _difference(
    built: Built, data: DataSet, result: RunResult, expected: Array, runner: Runner
) -> Difference | None:
    """The first differing node of the first differing image."""
    image = first_mismatch(result.scores, expected)
    if image is None:
        return None
    graph = built.model.graph
    tensors = evaluate_graph(graph, data.images[image : image + 1])
    found = locate(graph, image, data.images, tensors, runner.trace)
    last = graph.nodes[-1]
    return found or score_difference(image, result.scores, expected, last.name, last.op.name)


def require_passed(
    comparison: Comparison, min_accuracy: float | None, min_agreement: float | None
) -> None:
    """Check a validation.

    Raises:
        MismatchError: outputs differ from the reference, or a share is below its minimum.
    """
    where = comparison.difference
    if where is not None:
        raise MismatchError(
            f"{comparison.images - comparison.identical} of {comparison.images} images differ from "
            f"the reference; image {where.image}: first at node {where.node} ({where.operator}), "
            f"index {list(where.index)}: expected {where.expected}, found {where.found}",
            f"reproduce with --limit {where.image + 1}; please report it: this is a defect",
        )
    _require_share("accuracy", comparison.accuracy, min_accuracy, "the data has no labels")
    _require_share(
        "agreement with the framework",
        comparison.float_agreement,
        min_agreement,
        comparison.float_engine,
    )


def _require_share(what: str, share: float | None, least: float | None, why_not: str) -> None:
    if least is None:
        return
    if share is None:
        raise MismatchError(f"{what} cannot be checked: {why_not}", "leave the minimum out")
    if share < least:
        raise MismatchError(
            f"{what}: {100 * share:.2f} % is below the minimum of {100 * least:.2f} %",
            "check the input normalisation (--input-scale, --mean, --std) first",
        )
