"""The files of a PlatformIO project that depend on the board or on the model's name.

All decisions are made here; the templates only print. `firmware_model.h` is needed by the host
build too, so it is all that the pseudo-board `host` gets.
"""

from __future__ import annotations

import json
from typing import Any

from mcubnn import resources
from mcubnn.board import Access, Board
from mcubnn.codegen.templating import render
from mcubnn.errors import InternalError, UsageError

_MODEL_CONSTANTS = (
    "INPUT_BYTES",
    "INPUT_TYPE",
    "INPUT_HEIGHT",
    "INPUT_WIDTH",
    "INPUT_CHANNELS",
    "OUTPUT_COUNT",
    "NODE_COUNT",
    "ARENA_BYTES",
)
_MODEL_FUNCTIONS = ("input", "output", "run_node", "invoke", "node_result")


def project_files(board: Board, prefix: str, arena_region: str) -> dict[str, str]:
    """Text by file name, relative to the project's folder.

    Args:
        board: target.
        prefix: prefix of the model's public symbols, a C identifier.
        arena_region: name of the RAM region that holds the model's arena.

    Raises:
        UsageError: the board has no such RAM region.
    """
    if not prefix.isidentifier() or not prefix.isascii():
        msg = f"{prefix!r} cannot be the prefix of C symbols"
        raise InternalError(msg)
    names = [region.name for region in board.ram]
    if arena_region not in names:
        msg = f"arena region {arena_region!r} of {board.id}; allowed: {', '.join(names)}"
        raise UsageError(msg, "choose one of the board's RAM regions")
    values = _values(board, prefix, arena_region)
    templates = {"src/firmware_model.h": "firmware_model.h.j2"}
    if board.runner == "host":
        return _render(templates, values)
    templates |= {
        "platformio.ini": "platformio.ini.j2",
        "linker.ld": "linker.ld.j2",
        "README.md": "README.md.j2",
    }
    return _render(templates, values) | {f"boards/{board.id}.json": board_manifest(board)}


def board_manifest(board: Board) -> str:
    """PlatformIO's `boards/<id>.json`: the flags, and the limits that it prints after a build."""
    manifest: dict[str, Any] = {
        "name": board.title,
        "vendor": "mcubnn",
        "url": "",
        "platforms": ["mcubnn_baremetal"],
        "frameworks": [],
        "build": {
            "mcu": board.id,
            "cpu": board.cpu,
            "f_cpu": f"{board.clock_hz}L",
            "machine_flags": machine_flags(board),
            "compile_flags": _compile_flags(),
            "defines": [
                ["MCUBNN_CORE_CLOCK_HZ", f"{board.clock_hz}u"],
                ["MCUBNN_PORT_BAUD", f"{board.baud}u"],
                *(list(define) for define in board.defines),
            ],
        },
        "upload": {
            "maximum_size": board.flash[0].size_bytes,
            "maximum_ram_size": sum(region.size_bytes for region in board.static_ram),
            "openocd_config": board.openocd_config,
        },
    }
    return json.dumps(manifest, indent=2) + "\n"


def machine_flags(board: Board) -> list[str]:
    """Compiler flags that choose the instruction set and the calling convention."""
    flags = [f"-mcpu={board.cpu}", "-mthumb", f"-mfloat-abi={board.float_abi}"]
    return [*flags, f"-mfpu={board.fpu}"] if board.fpu else flags


def _compile_flags() -> list[str]:
    text = (resources.runtime_dir() / "compile_flags.txt").read_text(encoding="utf-8")
    return text.split()


def _values(board: Board, prefix: str, arena_region: str) -> dict[str, Any]:
    return {
        "board": board,
        "prefix": prefix,
        "upper": prefix.upper(),
        "constants": _MODEL_CONSTANTS,
        "functions": _MODEL_FUNCTIONS,
        "regions": [
            {
                "name": region.name,
                "attributes": "rx" if region.kind is Access.FLASH else "rwx",
                "origin": f"0x{region.origin:08x}",
                "size_bytes": f"0x{region.size_bytes:x}",
            }
            for region in board.regions
        ],
        "boot": board.flash[0].name,
        "fast": board.ram[0].name,
        "arena": arena_region,
        "hot": board.hot_code,
    }


def _render(templates: dict[str, str], values: dict[str, Any]) -> dict[str, str]:
    return {name: render(f"project/{template}", **values) for name, template in templates.items()}
