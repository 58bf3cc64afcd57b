"""The command line: arguments in, tables or JSON out.

Results go to stdout, progress and messages to stderr.
"""

from __future__ import annotations

import filecmp
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from mcubnn import cli_options as opt
from mcubnn import pipeline
from mcubnn.artifacts import DataSet
from mcubnn.board import list_boards, load_board
from mcubnn.build_folder import BuildFolder, latest_build
from mcubnn.cli_errors import reject_empty, reported_errors
from mcubnn.cli_groups import with_groups
from mcubnn.cli_progress import progress_bar
from mcubnn.errors import UsageError
from mcubnn.example import builtin_example
from mcubnn.pipeline import to_document
from mcubnn.report import text

HOST = "host"
DEFAULT_BOARD = "nucleo-f746"
PROFILE_BOARD = "qemu-mps2-an386"

app = typer.Typer(
    name="mcubnn",
    help="Compile trained binary neural networks to C for Arm Cortex-M.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_stderr = Console(stderr=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mcubnn {version('mcubnn')}\n")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Compile trained binary neural networks to C for Arm Cortex-M."""
    del show_version  # handled by its callback


@app.command()
@with_groups
def build(
    *,
    model: opt.Model = None,
    board: opt.BoardId = None,
    out: opt.Out = None,
    options: opt.Input,
    calibrate: opt.Calibrate = None,
    budget: Annotated[
        str | None, typer.Option(help="Fail above these limits: flash=512K,ram=64K.")
    ] = None,
    selection: opt.Selection,
    dump_ir: Annotated[
        Path | None, typer.Option(help="Write the graph after every pass to this folder.")
    ] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Compile a model to C, build the firmware and report its footprint."""
    wanted = pipeline.BuildOptions(opt.parse_budget(budget), selection)
    path, chosen = _model(model, options)
    saved = pipeline.compile_model(path, pipeline.CompileOptions(chosen, calibrate, dump_ir))
    board_id = board or DEFAULT_BOARD
    folder = out or _default_folder(saved.graph.name, board_id)
    with _stderr.status(f"building {saved.graph.name} for {board_id}"):
        built = pipeline.build_graph(saved, board_id, folder, wanted)
    _emit(to_document(built.report), text.report_view(built.report), as_json)
    _stderr.print(f"build folder: {folder}", highlight=False)


@app.command()
@with_groups
def inspect(
    *,
    model: opt.Model = None,
    options: opt.Input,
    calibrate: opt.Calibrate = None,
    board: opt.BoardId = None,
    selection: opt.Selection,
    as_json: opt.AsJson = False,
) -> None:
    """Show what each layer becomes, whether it is binary and why not; with --board its kernel."""
    path, chosen = _model(model, options)
    wanted = pipeline.CompileOptions(chosen, calibrate)
    inspection = pipeline.inspect_model(path, wanted, board, selection)
    _emit(to_document(inspection), text.inspection_view(inspection), as_json)


@app.command()
@with_groups
def run(
    *,
    target: opt.Target = None,
    board: opt.BoardId = None,
    data: opt.Data = None,
    limit: opt.Limit = None,
    port: opt.Port = None,
    options: opt.Input,
    as_json: opt.AsJson = False,
) -> None:
    """Stream images through an emulated or real board and print the accuracy."""
    _run(*_open_with_images(target, board, options, data, limit), port, as_json)


@app.command()
def stream(
    target: opt.Target = None,
    port: opt.Port = None,
    board: opt.BoardId = None,
    data: opt.Data = None,
    limit: opt.Limit = None,
    as_json: opt.AsJson = False,
) -> None:
    """Stream images to a board that was flashed with the build's firmware."""
    _run(*_open_with_images(target, board, None, data, limit), port, as_json)


@app.command()
@with_groups
def validate(
    *,
    target: opt.Target = None,
    board: opt.BoardId = None,
    data: opt.Data = None,
    limit: opt.Limit = None,
    port: opt.Port = None,
    min_accuracy: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Fail below this share, 0..1.")
    ] = None,
    min_agreement: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Fail if fewer classes equal the framework's, 0..1."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML file.")] = None,
    options: opt.Input,
    as_json: opt.AsJson = False,
) -> None:
    """Compare every output with the reference bit for bit, and the classes with onnxruntime.

    Runs on this computer unless --board names another board or --port the line to one.
    """
    wanted = board or (HOST if port is None else None)
    built, images = _open_with_images(target, wanted, options, data, limit)
    with progress_bar(_stderr) as advance:
        comparison = pipeline.validate_build(built, images, port, advance)
    if junit is not None:
        report = pipeline.junit_xml(comparison, built.model.graph.name, min_accuracy, min_agreement)
        junit.write_text(report, encoding="utf-8")
    _emit(to_document(comparison), text.comparison_view(comparison), as_json)
    pipeline.require_passed(comparison, min_accuracy, min_agreement)


@app.command()
@with_groups
def profile(
    *,
    target: opt.Target = None,
    board: opt.BoardId = None,
    data: opt.Data = None,
    limit: opt.ProfileLimit = 10,
    port: opt.Port = None,
    options: opt.Input,
    as_json: opt.AsJson = False,
) -> None:
    """Count what every layer takes: executed instructions on an emulator, cycles on a board.

    Without --board and --port an emulated board with the core of the build's board is used.
    """
    wanted = board or (_emulated(target) if port is None else None)
    built, images = _open_with_images(target, wanted, options, data, limit)
    with progress_bar(_stderr) as advance:
        found = pipeline.profile_build(built, images, port, advance)
    _emit(to_document(found), text.profile_view(found), as_json)


@app.command()
def report(
    target: Annotated[Path | None, typer.Argument(help="Build folder. [default: latest]")] = None,
    as_json: opt.AsJson = False,
) -> None:
    """Show the footprint of a build: per layer, totals, and where each number comes from."""
    folder = target or latest_build(Path("build"))
    if folder is None:
        raise UsageError("no build folder given and none in ./build", "run `mcubnn build` first")
    if not (folder / "report.json").is_file():
        raise UsageError(f"{folder}: not a build folder", "run `mcubnn build` first")
    found = pipeline.read_report(folder / "report.json")
    _emit(to_document(found), text.report_view(found), as_json)


@app.command()
def boards(as_json: opt.AsJson = False) -> None:
    """List the boards."""
    found = list_boards()
    _emit([to_document(board) for board in found], text.boards_view(found), as_json)


@app.command()
def doctor(as_json: opt.AsJson = False) -> None:
    """Say which tools are there, which are missing, and how to get them."""
    checks = pipeline.diagnose()
    _emit([to_document(check) for check in checks], text.checks_view(checks), as_json)
    if any(check.required and not check.found for check in checks):
        raise typer.Exit(5)


@app.command()
def setup() -> None:
    """Install the Arm compiler, QEMU and PlatformIO's build tool where that is possible."""
    log = Path(tempfile.gettempdir()) / "mcubnn-setup.log"
    checks = pipeline.setup(log, lambda line: _stderr.print(line, highlight=False))
    text.print_view(text.checks_view(checks))
    if any(check.required and not check.found for check in checks):
        raise typer.Exit(5)


def _model(
    model: Path | None, options: pipeline.InputOptions | None
) -> tuple[Path, pipeline.InputOptions]:
    """The given model, or the built-in one with its own normalisation."""
    if model is not None:
        if options is None:
            _stderr.print("input: x = pixel; --input-scale, --mean and --std change that")
        return model, options or pipeline.InputOptions()
    example = builtin_example()
    _stderr.print(f"model: built-in {example.model.stem}", highlight=False)
    return example.model, options or example.input


def _default_folder(model: str, board_id: str) -> Path:
    return Path("build") / f"{model}-{board_id}"


def _open_with_images(
    target: Path | None,
    board_id: str | None,
    options: pipeline.InputOptions | None,
    data: Path | None,
    limit: int | None,
) -> tuple[pipeline.Built, DataSet]:
    """A build folder, or a model built into its default folder; and images for it.

    What is wrong with the model or missing is said before anything is built.
    """
    if board_id is not None:
        load_board(board_id)
    folder = target if target is not None else latest_build(Path("build"))
    if folder is not None and folder.is_dir():
        if options is not None:
            raise UsageError(
                f"{folder}: a build has its input normalisation already",
                "give the model file instead, or leave the options out",
            )
        path = data or _own_data(BuildFolder(folder).source)
        with _stderr.status(f"opening {folder}"):
            built = pipeline.open_build(folder, board_id)
    else:
        model, chosen = _model(target, options)
        saved = pipeline.compile_model(model, pipeline.CompileOptions(chosen))
        path = data or _own_data(model)
        wanted = board_id or DEFAULT_BOARD
        with _stderr.status(f"building {saved.graph.name} for {wanted}"):
            out = _default_folder(saved.graph.name, wanted)
            built = pipeline.build_graph(saved, wanted, out)
    return built, pipeline.load_images(built, path, limit)


def _run(built: pipeline.Built, images: DataSet, port: str | None, as_json: bool) -> None:
    with progress_bar(_stderr) as advance:
        summary = pipeline.run_images(built, images, port, advance)
    _emit(to_document(summary), text.run_view(summary), as_json)


def _emulated(target: Path | None) -> str:
    """An emulated board with the same core as a build's board, that board itself if it is one."""
    folder = target if target is not None else latest_build(Path("build"))
    if folder is not None and (folder / "report.json").is_file():
        wanted = load_board(pipeline.read_report(folder / "report.json").board)
    else:
        wanted = load_board(DEFAULT_BOARD)
    matching = [b.id for b in list_boards() if b.runner == "qemu" and b.cpu == wanted.cpu]
    return wanted.id if wanted.id in matching else [*matching, PROFILE_BOARD][0]


def _own_data(model: Path) -> Path:
    """The test set of the built-in network; no other network has one."""
    example = builtin_example()
    # A build folder without a model is left to `open_build`, which says what is wrong with it.
    if model.is_file() and not filecmp.cmp(model, example.model, shallow=False):
        raise UsageError("--data is missing", "give an npz file with `images` and `labels`")
    return example.data


def _emit(document: object, view: Any, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        text.print_view(view)
    sys.stdout.flush()  # here a full disk can still be reported


def main() -> None:
    """Entry point: run a command and turn errors into messages and exit codes."""
    with reported_errors():
        reject_empty(sys.argv[1:])
        app(standalone_mode=True)
