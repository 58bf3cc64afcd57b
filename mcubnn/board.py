"""Boards: one TOML file each; everything about a board is derived from it."""

from __future__ import annotations

import difflib
import itertools
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mcubnn import resources
from mcubnn.errors import UsageError


class Access(StrEnum):
    """What a memory region may hold; CODE is RAM for hot code alone, such as an ITCM."""

    FLASH = "flash"
    RAM = "ram"
    CODE = "code"


@dataclass(frozen=True)
class Region:
    """One memory region.

    Attributes:
        name: lower-case identifier, also the linker's MEMORY name.
        kind: flash, RAM, or RAM for code.
        origin: first address.
        size_bytes: length.
        speed_rank: 0 is fastest; the arena goes to the fastest RAM that holds it.
    """

    name: str
    kind: Access
    origin: int
    size_bytes: int
    speed_rank: int


@dataclass(frozen=True)
class Board:
    """A target.

    Attributes:
        id: file name without suffix, for example `nucleo-f746`.
        title: shown to people.
        cpu: `-mcpu` value, for example `cortex-m7`.
        fpu: `-mfpu` value, or empty for none.
        float_abi: `soft` or `hard`.
        clock_hz: core clock the start-up code sets.
        regions: memory; exactly one flash region is the boot region, listed first.
        stack_bytes: reserved by the linker script, in the first RAM region.
        port: folder under runtime_c/port with clock and UART code.
        defines: preprocessor definitions for the port (UART address, pins...).
        runner: `qemu`, `serial` or `host`.
        qemu_machine: `-M` value, or empty.
        baud: of the UART.
        notes: shown by `mcubnn boards`.
        openocd_config: OpenOCD's configuration file, for `pio run -t upload`; or empty.
        hot_code: name of the code region where kernels' inner functions run, copied from flash
            at reset; or empty: they run in flash.
    """

    id: str
    title: str
    cpu: str
    fpu: str
    float_abi: str
    clock_hz: int
    regions: tuple[Region, ...]
    stack_bytes: int
    port: str
    defines: tuple[tuple[str, str], ...]
    runner: str
    qemu_machine: str
    baud: int
    notes: str
    openocd_config: str = ""
    hot_code: str = ""

    @property
    def flash(self) -> tuple[Region, ...]:
        """Flash regions, boot region first."""
        return tuple(r for r in self.regions if r.kind is Access.FLASH)

    @property
    def ram(self) -> tuple[Region, ...]:
        """RAM regions, fastest first."""
        return tuple(
            sorted((r for r in self.regions if r.kind is Access.RAM), key=lambda r: r.speed_rank)
        )

    @property
    def hot_region(self) -> Region | None:
        """Where hot code runs; None: in flash."""
        return next((r for r in self.regions if r.name == self.hot_code), None)

    @property
    def static_ram(self) -> tuple[Region, ...]:
        """Regions that an image can use: RAM, and the region where hot code runs."""
        return (*self.ram, self.hot_region) if self.hot_region else self.ram


def list_boards() -> tuple[Board, ...]:
    """All boards that have a file, in order of their ids."""
    return tuple(load_board(path.stem) for path in _board_files())


def load_board(board_id: str) -> Board:
    """Read and validate `<board_id>.toml`.

    Raises:
        UsageError: there is no such board, or its file breaks a rule; all problems are named.
    """
    files = {path.stem: path for path in _board_files()}
    if board_id in files:
        return read_board(files[board_id])
    near = difflib.get_close_matches(board_id, files, n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`mcubnn boards` lists them"
    msg = f"--board {board_id}: no such board; allowed: {', '.join(files)}"
    raise UsageError(msg, hint)


def read_board(path: Path) -> Board:
    """Read and validate one board file; the board's id is the file's name.

    Raises:
        UsageError: the file breaks a rule; all problems are named.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path.name}: not a readable TOML file: {error}"
        raise UsageError(msg, "see docs/ADD_A_BOARD.md") from error
    problems: list[str] = []
    values = _checked(table, _BOARD_KEYS, "", problems)
    defines = _defines(values.pop("defines", {}), problems)
    rows = values.pop("regions", [])
    regions = tuple(_region(row, index, problems) for index, row in enumerate(rows))
    if not problems:
        problems += _layout_problems(regions, values["stack_bytes"])
        problems += _hot_code_problems(regions, values["hot_code"])
        problems += _runner_problems(values)
    if problems:
        msg = "\n".join(f"{path.name}: {problem}" for problem in problems)
        raise UsageError(msg, "see docs/ADD_A_BOARD.md")
    return Board(id=path.stem, regions=regions, defines=defines, **values)


def _board_files() -> list[Path]:
    return sorted(resources.boards_dir().glob("*.toml"))


@dataclass(frozen=True)
class _Key:
    """Rule for one key: its type, what else must hold, and the default (None: required)."""

    type: type
    allowed: str
    test: Callable[[Any], bool] = bool
    default: object = None


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


def _any(_: object) -> bool:
    return True


_MVE_CPUS = ("cortex-m55",)
"""Cores whose kernels are chosen and estimated with MVE."""

# The patterns are strict because the values reach compiler command lines and C files.
_NAME = "[a-z][a-z0-9_]*"
_BOARD_KEYS: Mapping[str, _Key] = {
    "title": _Key(str, "text on one line", _matches(r"[^\n\r]+")),
    "cpu": _Key(str, "a -mcpu value, or host", _matches(r"cortex-m[0-9a-z]+|host")),
    "fpu": _Key(str, "a -mfpu value, or empty", _matches(r"[a-z0-9-]*"), ""),
    "float_abi": _Key(str, "soft, hard", _matches("soft|hard"), "soft"),
    "clock_hz": _Key(int, "a positive number", lambda hz: hz > 0),
    "regions": _Key(list, "[[regions]] tables", _any, []),
    "stack_bytes": _Key(int, "a positive multiple of 8", lambda n: n > 0 and n % 8 == 0),
    "port": _Key(str, "a folder of runtime_c/port", _matches(_NAME)),
    "defines": _Key(dict, "a [defines] table", _any, {}),
    "runner": _Key(str, "qemu, serial, host", _matches("qemu|serial|host")),
    "qemu_machine": _Key(str, "a QEMU -M value, or empty", _matches(r"[a-z0-9-]*"), ""),
    "baud": _Key(int, "1200 to 4000000", lambda baud: 1200 <= baud <= 4_000_000, 115200),
    "notes": _Key(str, "text", _any, ""),
    "openocd_config": _Key(str, "a path, or empty", _matches(r"[A-Za-z0-9_./-]*"), ""),
    "hot_code": _Key(str, "a region of kind code, or empty", _matches(f"({_NAME})?"), ""),
}
_REGION_KEYS: Mapping[str, _Key] = {
    "name": _Key(str, "a lower-case identifier", _matches(_NAME)),
    "kind": _Key(str, "flash, ram, code", _matches("flash|ram|code")),
    "origin": _Key(int, "a 32-bit address", lambda address: 0 <= address < 1 << 32),
    "size_bytes": _Key(int, "a positive multiple of 8", lambda n: n > 0 and n % 8 == 0),
    "speed_rank": _Key(int, "0 or more", lambda rank: rank >= 0),
}


def _checked(
    table: Mapping[str, Any], keys: Mapping[str, _Key], where: str, problems: list[str]
) -> dict[str, Any]:
    """The table's values with defaults filled in; every broken rule is added to `problems`."""
    for name in table:
        if name not in keys:
            problems.append(f"{where}{name}: unknown key; allowed: {', '.join(keys)}")
    values: dict[str, Any] = {}
    for name, key in keys.items():
        if name not in table and key.default is None:
            problems.append(f"{where}{name}: missing; allowed: {key.allowed}")
            continue
        value = table.get(name, key.default)
        if type(value) is not key.type or not key.test(value):
            problems.append(f"{where}{name}: found {value!r}; allowed: {key.allowed}")
            continue
        values[name] = value
    return values


def _region(row: object, index: int, problems: list[str]) -> Region:
    where = f"regions[{index}]."
    if not isinstance(row, dict):
        problems.append(f"{where[:-1]}: found {row!r}; allowed: a table")
        row = {}
    before = len(problems)
    values = _checked(row, _REGION_KEYS, where, problems)
    if len(problems) > before:
        return Region("", Access.RAM, 0, 0, 0)  # never used: the caller raises
    values["kind"] = Access(values["kind"])
    return Region(**values)


def _defines(table: Mapping[str, Any], problems: list[str]) -> tuple[tuple[str, str], ...]:
    for name, value in table.items():
        if not re.fullmatch("[A-Z][A-Z0-9_]*", name):
            problems.append(f"defines.{name}: allowed: an upper-case C identifier")
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_]+", value):
            problems.append(f"defines.{name}: found {value!r}; allowed: a C literal or name")
    return tuple(sorted(table.items()))


def _layout_problems(regions: tuple[Region, ...], stack_bytes: int) -> list[str]:
    problems = [
        f"regions: no region of kind {kind}; allowed: at least one"
        for kind in (Access.FLASH, Access.RAM)
        if not any(region.kind is kind for region in regions)
    ]
    names = [region.name for region in regions]
    problems += [
        f"regions: name {name} is used twice; allowed: once"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    problems += [
        f"regions[{i}].size_bytes: {region.name} ends at {region.origin + region.size_bytes:#x};"
        " allowed: at most 0x100000000"
        for i, region in enumerate(regions)
        if region.origin + region.size_bytes > 1 << 32
    ]
    ordered = sorted(regions, key=lambda region: region.origin)
    for low, high in itertools.pairwise(ordered):
        if low.origin + low.size_bytes > high.origin:
            problems.append(
                f"regions: {low.name} ({low.origin:#x}, {low.size_bytes} bytes) overlaps "
                f"{high.name} ({high.origin:#x}); allowed: disjoint regions"
            )
    ram = sorted((r for r in regions if r.kind is Access.RAM), key=lambda r: r.speed_rank)
    if ram and stack_bytes >= ram[0].size_bytes:
        problems.append(
            f"stack_bytes: found {stack_bytes}; allowed: less than the {ram[0].size_bytes} bytes "
            f"of {ram[0].name}, the fastest RAM"
        )
    return problems


def _hot_code_problems(regions: tuple[Region, ...], hot_code: str) -> list[str]:
    allowed = [region.name for region in regions if region.kind is Access.CODE]
    if not hot_code or hot_code in allowed:
        return []
    kinds = [f"a region of kind {r.kind}" for r in regions if r.name == hot_code]
    found = f"{hot_code!r}, {', '.join(kinds) or 'no region'}"
    return [f"hot_code: found {found}; allowed: {', '.join(allowed) or 'no region has kind code'}"]


def _runner_problems(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if (values["runner"] == "qemu") != bool(values["qemu_machine"]):
        found = f"{values['qemu_machine']!r} with runner {values['runner']!r}"
        problems.append(f"qemu_machine: found {found}; allowed: a machine for runner qemu only")
    if (values["runner"] == "host") != (values["cpu"] == "host"):
        found = f"{values['cpu']!r} with runner {values['runner']!r}"
        problems.append(f"cpu: found {found}; allowed: host for runner host only")
    if values["runner"] == "host" and values["hot_code"]:
        problems.append(f"hot_code: found {values['hot_code']!r} with runner 'host'; allowed: none")
    if values["cpu"] in _MVE_CPUS and (values["fpu"], values["float_abi"]) != ("auto", "hard"):
        found = f"{values['fpu']!r} with float_abi {values['float_abi']} and {values['cpu']}"
        problems.append(f"fpu: found {found}; allowed: auto with hard, or gcc offers no MVE")
    if values["float_abi"] == "hard" and not values["fpu"]:
        problems.append("fpu: empty with float_abi hard; allowed: a -mfpu value")
    return problems
