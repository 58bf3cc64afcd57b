"""Report objects as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mcubnn.artifacts import Comparison
from mcubnn.board import Board, Region
from mcubnn.report.inspection import Inspection
from mcubnn.report.profile import Profile, ProfileRow
from mcubnn.report.report import Figure, KernelRow, Report
from mcubnn.report.summary import RunSummary

_MAX_NAME = 60
_MIN_NAME = 12
_MIN_WIDTH = 80
"""Tables are made for this many columns; a narrower terminal breaks their lines itself."""

_KERNELS_LEGEND = (
    "cycles (no wait states; --optimize speed goes by them), instructions: estimated\n"
    "at most: bound of the instructions; not: another kernel for the same node"
)


def report_view(report: Report) -> RenderableType:
    """Layers, then totals against the board."""
    layers = _table("node", "output", ">MAC", ">bits", ">flash B", ">RAM B")
    for row in report.layers:
        layers.add_row(
            _name(row.name),
            row.output,
            _number(row.macs),
            _number(row.weight_bits),
            _number(row.flash_bytes),
            _number(row.ram_bytes),
        )
    figures = _table("", ">value", ">of", ">share", "origin")
    for figure in report.figures:
        figures.add_row(*_figure(figure))
    title = Text(f"{report.model} ({report.model_hash}) on {report.board}")
    compiler = Text(f"compiler: {report.compiler}", style="dim")
    arena = Text(f"arena in {report.arena_region}, planner: {report.planner}", style="dim")
    kernels = _kernels(report.kernels, {row.name: row.operator for row in report.layers})
    return Group(title, layers, *kernels, figures, compiler, arena, *_notes(report.notes))


def _kernels(
    kernels: tuple[KernelRow, ...], operators: Mapping[str, str]
) -> tuple[RenderableType, ...]:
    """Which kernel computes each node, by operator name, and which others could."""
    table = _table("node", "kernel", ">cycles", ">instructions", ">at most")
    for kernel in kernels:
        table.add_row(
            _name(kernel.name),
            f"{operators[kernel.name]} {kernel.variant}",
            _number(kernel.cycles),
            _number(kernel.instructions),
            _number(kernel.worst_instructions),
        )
        for other in kernel.alternatives:
            if other.cycles is not None and other.instructions is not None:
                row = (f"  not {other.variant}", _number(other.cycles), _number(other.instructions))
                table.add_row("", *row, "", style="dim")
    return table, Text(_KERNELS_LEGEND, style="dim")


def _figure(figure: Figure) -> tuple[str, ...]:
    limit = _number(figure.limit) if figure.limit else ""
    share = f"{100 * figure.value / figure.limit:.1f} %" if figure.limit else ""
    return (figure.name, f"{figure.value:,} {figure.unit}", limit, share, figure.origin)


def inspection_view(inspection: Inspection) -> RenderableType:
    """What each node becomes and whether it is binary."""
    table = _table("node", "becomes", "output", ">MAC", ">bits", ">flash B", "binary")
    for row in inspection.rows:
        table.add_row(
            _name(row.name),
            row.becomes,
            row.output,
            _number(row.macs),
            _number(row.weight_bits),
            _number(row.flash_bytes),
            Text(row.binary.split(":", 1)[0]),
        )
    scores = Text(
        f"{inspection.model}: {inspection.input} -> {inspection.output}, one unit of score = "
        f"{inspection.output_scale:.6g}"
    )
    share = Text(
        f"{100 * inspection.binary_mac_share:.1f} % of the multiply-accumulates have binary weights"
    )
    parts: list[RenderableType] = [table]
    if inspection.kernels:
        parts.extend(_kernels(inspection.kernels, {r.name: r.becomes for r in inspection.rows}))
    return Group(*parts, scores, share, *_notes(inspection.notes))


def comparison_view(comparison: Comparison) -> RenderableType:
    """What a validation found."""
    table = _table("check", ">result", "against")
    exact = f"{comparison.identical:,} of {comparison.images:,} images identical"
    table.add_row("bit-exact scores", exact, "numpy reference")
    if comparison.accuracy is not None:
        table.add_row("accuracy", f"{100 * comparison.accuracy:.2f} %", "labels of the data")
    agreement = comparison.float_agreement
    shown = "-" if agreement is None else f"{100 * agreement:.2f} %"
    table.add_row("same class", shown, Text(comparison.float_engine))
    where = Text(
        f"{comparison.runner}: {comparison.images:,} images in {comparison.seconds:.1f} s "
        "(host time, not device time)",
        style="dim",
    )
    doubts = comparison.notes if agreement is not None and agreement < 1.0 else ()
    return Group(table, where, *_notes(doubts))


def run_view(summary: RunSummary) -> RenderableType:
    """Accuracy of a run."""
    accuracy = "no labels" if summary.accuracy is None else f"{100 * summary.accuracy:.2f} %"
    return Group(
        Text(f"{summary.model} on {summary.runner}"),
        Text(f"accuracy: {accuracy} of {summary.images:,} images", style="bold"),
        Text(
            f"{summary.seconds:.1f} s, {1000 * summary.seconds / max(1, summary.images):.1f} ms "
            "per image with transfers (host time, not device time)",
            style="dim",
        ),
    )


def profile_view(profile: Profile) -> RenderableType:
    """What every node took, and how far the cost model is from it."""
    table = _table("node", "variant", ">mean", ">min", ">max", ">share", ">/32 MAC")
    for row in (*profile.rows, profile.total):
        table.add_row(*_profile_row(row))
    lines = [f"{profile.images:,} images; {profile.origin}"]
    if profile.total.estimated:
        off = 100 * (profile.total.estimated / profile.total.mean - 1)
        lines.append(
            f"cost model: {profile.total.estimated:,} estimated ({off:+.1f} %), "
            f"at most {profile.total.bound:,}"
        )
    lines.append(f"compiler: {profile.compiler}")
    title = Text(
        f"{profile.model} ({profile.model_hash}) on {profile.board}, {profile.cpu}: "
        f"{profile.unit} per image"
    )
    return Group(title, table, *(Text(line, style="dim") for line in lines))


def _profile_row(row: ProfileRow) -> tuple[Text | str, ...]:
    return (
        _name(row.name),
        row.variant,
        f"{row.mean:,.0f}",
        f"{row.minimum:,}",
        f"{row.maximum:,}",
        f"{100 * row.share:.1f} %",
        "-" if row.per_32_macs is None else f"{row.per_32_macs:.2f}",
    )


def boards_view(boards: Iterable[Board]) -> RenderableType:
    """All boards."""
    table = _table("board", "core", ">MHz", ">flash K", ">RAM K", "run", "what")
    for board in boards:
        table.add_row(
            board.id,
            board.cpu,
            "-" if board.runner == "host" else f"{board.clock_hz / 1e6:g}",
            _kibibytes(board, board.flash),
            _kibibytes(board, board.ram),
            board.runner,
            Text(board.title),
        )
    return table


def _kibibytes(board: Board, regions: Iterable[Region]) -> str:
    """The regions' size; this computer has none worth showing."""
    return "-" if board.runner == "host" else str(sum(r.size_bytes for r in regions) // 1024)


def checks_view(checks: Iterable[Check]) -> RenderableType:
    """Tools of this computer."""
    table = _table("", "tool", "version, or how to get it")
    for check in checks:
        mark = Text("ok", "green") if check.found else Text("missing", "red")
        if not check.found and not check.required:
            mark = Text("optional", "yellow")
        missing = f"for {check.needed_for}: {check.how_to_get}"
        found = check.version.removeprefix(f"{check.name} ")
        table.add_row(mark, Text(check.name), Text(found if check.found else missing))
    return table


def _notes(notes: tuple[str, ...]) -> list[RenderableType]:
    return [Text(printable(f"note: {note}"), style="yellow") for note in notes]


def _name(text: str) -> Text:
    """The name of a node, which the model's author chose: on one line, of bounded length."""
    line = printable(text).replace("\n", " ").replace("\t", " ")
    return Text(line if len(line) <= _MAX_NAME else f"{line[: _MAX_NAME - 3]}...")


def _number(value: int) -> str:
    return f"{value:,}" if value else "-"


def _table(*headings: str) -> Table:
    """A table; a heading that starts with > is right-aligned.

    Where the terminal is too narrow, names of nodes and the last column go on in a further line;
    numbers are never cut.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        right = heading.startswith(">")
        justify: Literal["left", "right"] = "right" if right else "left"
        wraps = heading in ("node", headings[-1])
        table.add_column(
            heading.lstrip(">"),
            justify=justify,
            no_wrap=not wraps,
            overflow="fold",
            min_width=_MIN_NAME if heading == "node" else None,
        )
    return table


class Check(Protocol):
    """One tool, as the build stage's `doctor` finds it."""

    @property
    def name(self) -> str:
        """The tool."""

    @property
    def found(self) -> bool:
        """Whether it can be used."""

    @property
    def version(self) -> str:
        """What it says about itself."""

    @property
    def needed_for(self) -> str:
        """What does not work without it."""

    @property
    def how_to_get(self) -> str:
        """A command."""

    @property
    def required(self) -> bool:
        """Whether building or emulating needs it."""


def printable(text: str) -> str:
    """Text that cannot move the cursor, change colours or hide what was there."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def print_view(view: RenderableType, console: Console | None = None) -> None:
    """Print to stdout, or to a given console."""
    where = console or Console()
    where.width = max(where.width, _MIN_WIDTH)
    where.print(view, crop=False)
