"""Writes the pages of docs/ that state facts of the code: cli.md, operators.md, boards.md.

python docs/generate.py        writes them
python docs/generate.py --check  exits with 1 if they are out of date
"""

from __future__ import annotations

import inspect
import sys
import textwrap
import typing
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from typer.models import ArgumentInfo, OptionInfo

from mcubnn import errors
from mcubnn.board import Board, list_boards
from mcubnn.cli import app
from mcubnn.cli_errors import INTERRUPTED, TERMINATED
from mcubnn.frontend.rules import RULES, UNSUPPORTED_HINTS
from mcubnn.frontend.tail import TAIL_NOTES
from mcubnn.ir.op import Op
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.registry import operators

_HEAD = "<!-- Written by docs/generate.py; edit the code it reads, then run it again. -->\n"


def pages() -> dict[str, str]:
    """Text of each generated page by file name."""
    return {"cli.md": cli_page(), "operators.md": operators_page(), "boards.md": boards_page()}


def cli_page() -> str:
    """Every command with its arguments and options, and the exit codes."""
    commands = {c.callback.__name__: c.callback for c in app.registered_commands if c.callback}
    parts = [
        _HEAD,
        "# Command line\n",
        "Results go to stdout, progress and messages to stderr. `--json` prints the same object "
        "as the table. `mcubnn COMMAND --help` shows the same as this page; `mcubnn --version` "
        "prints the version.\n",
        _table(
            ("command", "what it does"),
            ((f"[`{name}`](#{name})", _first(c.__doc__)) for name, c in commands.items()),
        ),
    ]
    for name, command in commands.items():
        parts += [f"## {name}\n", f"{_flowing(command.__doc__)}\n"]
        hints = typing.get_type_hints(command, include_extras=True)
        rows = [_parameter(key, hint) for key, hint in hints.items() if key != "return"]
        if rows:
            parts.append(_table(("", "value", "meaning"), rows))
    parts += ["## Exit codes\n", _table(("code", "error", "when"), _exit_codes())]
    return "\n".join(parts)


def operators_page() -> str:
    """What the importer accepts, what the device runs, and what lies between."""
    found = operators()
    device = {name: op for name, op in found.items() if issubclass(op, DeviceOp)}
    source = {name: op for name, op in found.items() if name not in device}
    return "\n".join(
        [
            _HEAD,
            "# Operators\n",
            "## ONNX operators that can be compiled\n",
            "Operators on constants alone (weight chains, shapes) are evaluated at compile time, "
            "whatever they are.\n",
            _table(
                ("ONNX operator", "what is accepted"),
                ((f"`{name}`", _first(rule.__doc__)) for name, rule in RULES.items()),
            ),
            "## At the end of the network\n",
            _table(
                ("ONNX operator", "what becomes of it"),
                ((f"`{name}`", note) for name, note in TAIL_NOTES.items()),
            ),
            "## Not supported, with the hint that the message gives\n",
            _table(
                ("ONNX operator", "hint"),
                ((f"`{name}`", hint) for name, hint in sorted(UNSUPPORTED_HINTS.items())),
            ),
            "## Device operators\n",
            "Each has a kernel `mcubnn_<operator>` in `runtime_c/src/<operator>.c`, a header of "
            "the same name, and its meaning in numpy in `mcubnn/ops/defs/`.\n",
            *_operator_sections(device),
            "## Source operators\n",
            "They exist at compile time only; the passes turn them into device operators.\n",
            *_operator_sections(source),
        ]
    )


def boards_page() -> str:
    """Every board with its memory."""
    boards = [board for board in list_boards() if board.runner != "host"]
    rows = (
        (
            f"`{b.id}`",
            b.cpu,
            f"{b.clock_hz / 1e6:g} MHz",
            _kibibytes(sum(r.size_bytes for r in b.flash)),
            _kibibytes(sum(r.size_bytes for r in b.ram)),
            _way_to_run(b),
        )
        for b in boards
    )
    parts = [
        _HEAD,
        "# Boards\n",
        "One file each in `boards/`; [ADD_A_BOARD.md](ADD_A_BOARD.md) says what is in it.\n",
        _table(("board", "core", "clock", "flash", "RAM", "runs"), rows),
        "`host` is this computer: the same C program behind a pipe, for tests and validation.\n",
    ]
    for board in boards:
        parts += [f"## {board.id}\n", f"{board.title}. {board.notes}\n", _regions(board)]
    return "\n".join(parts)


def _regions(board: Board) -> str:
    rows = (
        (r.name, r.kind.value, f"0x{r.origin:08X}", _kibibytes(r.size_bytes), str(r.speed_rank))
        for r in board.regions
    )
    table = _table(("region", "kind", "from", "size", "speed rank"), rows)
    stack = f"Stack: {board.stack_bytes:,} bytes reserved in `{board.ram[0].name}`."
    hot = f" Hot code: copied to `{board.hot_code}`." if board.hot_code else ""
    return f"{table}\n{stack}{hot} UART: {board.baud} baud. Port: `runtime_c/port/{board.port}`.\n"


def _way_to_run(board: Board) -> str:
    if board.runner == "qemu":
        return f"emulated: `qemu-system-arm -M {board.qemu_machine}`"
    return "over its serial port"


def _kibibytes(size_bytes: int) -> str:
    return f"{size_bytes // 1024:,} KiB"


def _operator_sections(found: Mapping[str, type[Op]]) -> list[str]:
    return [f"### {name}\n\n{_docstring(op)}\n" for name, op in found.items()]


def _docstring(op: type[Op]) -> str:
    """The class docstring, its attributes as a list."""
    text, _, attributes = inspect.cleandoc(op.__doc__ or "").partition("\n\nAttributes:\n")
    entries: list[str] = []
    for line in textwrap.dedent(attributes).splitlines():
        if line.startswith(" "):
            entries[-1] += f" {line.strip()}"
        else:
            names, _, meaning = line.partition(": ")
            entries.append(f"- `{names}`: {meaning}")
    return "\n\n".join([text, "\n".join(entries)]) if entries else text


def _parameter(name: str, hint: Any) -> tuple[str, str, str]:
    """One row: how it is written, its value, its meaning."""
    value, info = typing.get_args(hint)[:2]
    text = (info.help or "").replace("[", "\\[")
    if isinstance(info, ArgumentInfo):
        return name.upper(), _value(value, info), text
    declared = (info.default, *(info.param_decls or ()))  # Option's first argument is `default`
    written = [part for part in declared if isinstance(part, str)]
    names = written or [f"--{name.replace('_', '-')}"]
    return ", ".join(f"`{option}`" for option in names), _value(value, info), text


def _value(kind: Any, info: ArgumentInfo | OptionInfo) -> str:
    choices = (kind,) if isinstance(kind, type) else typing.get_args(kind)
    (plain,) = [choice for choice in choices if choice is not type(None)]
    if typing.get_origin(plain) is list:
        return "text, repeatable"
    if plain is bool:
        return ""
    if issubclass(plain, StrEnum):
        return ", ".join(plain)
    if plain is float and info.max is not None:
        return f"{info.min:g}..{info.max:g}"
    return {Path: "path", str: "text", int: "number", float: "number"}[plain]


def _exit_codes() -> list[tuple[str, str, str]]:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    used = [c for c in classes if issubclass(c, errors.McubnnError) and c is not errors.McubnnError]
    rows = [(str(c.exit_code), f"`{c.__name__}`", _first(c.__doc__)) for c in used]
    signals = [(str(INTERRUPTED), "", "Ctrl-C."), (str(TERMINATED), "", "SIGTERM.")]
    return [("0", "", "Success."), *sorted(rows, key=lambda row: int(row[0])), *signals]


def _first(text: str | None) -> str:
    return inspect.cleandoc(text or "").partition("\n\n")[0].replace("\n", " ")


def _flowing(text: str | None) -> str:
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: list[str]) -> int:
    """Write or check the pages; returns the exit status."""
    folder = Path(__file__).parent
    stale = [
        name
        for name, text in pages().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        sys.stderr.writelines(f"docs/{name} is out of date\n" for name in stale)
        return 1 if stale else 0
    for name in stale:
        (folder / name).write_text(pages()[name], encoding="utf-8")
        sys.stderr.write(f"wrote docs/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
