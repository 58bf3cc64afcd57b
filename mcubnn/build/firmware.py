"""The build stage: a generated program becomes an image, measured and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mcubnn.artifacts import CProgram, Firmware, StackUsage
from mcubnn.board import Board
from mcubnn.build import stack
from mcubnn.build.elf import check_arena, check_constants, read_image
from mcubnn.build.host import compile_host
from mcubnn.build.platformio import build_project, project_texts
from mcubnn.build.toolchain import require_arm_gcc, require_host_compiler
from mcubnn.errors import BudgetError

HOST_BOARD_ID = "host"


def build_firmware(
    program: CProgram, project: Mapping[str, str], board: Board, folder: Path
) -> Firmware:
    """Write a PlatformIO project to `folder`, build it, and measure the image.

    Args:
        program: the generated model.
        project: the generated board files (`codegen.project.project_files`).
        board: target with a microcontroller.
        folder: absent, empty, or written by an earlier call.

    Raises:
        BuildError: a tool is missing, the build failed, tables of weights ended in RAM, or the
            stack cannot be bounded.
        BudgetError: the worst-case stack exceeds what the board reserves.
        UsageError: the folder holds something else.
    """
    compiler = require_arm_gcc()
    texts = project_texts(program, project, board)
    path = build_project(texts, board.id, folder, compiler)
    image = read_image(path)
    check_arena(image, f"{program.prefix}_arena")
    check_constants(image, (name for names in program.node_symbols.values() for name in names))
    return Firmware(
        image=path,
        board_id=board.id,
        compiler=compiler.version,
        text_bytes=image.text_bytes,
        rodata_bytes=image.rodata_bytes,
        data_bytes=image.data_bytes,
        bss_bytes=image.bss_bytes,
        stack_reserved_bytes=image.stack_bytes,
        stack=_stack(path.parent, board),
        symbols=image.symbols,
        hot_bytes=image.hot_bytes,
    )


def build_host(
    program: CProgram,
    project: Mapping[str, str],
    folder: Path,
    *,
    sanitize: bool = False,
    cache: Path | None = None,
) -> Firmware:
    """Compile the same program for this computer; it talks on stdin and stdout.

    Args:
        program: the generated model.
        project: the files of `codegen.project.project_files` for the board `host`.
        folder: gets the sources and the executable.
        sanitize: stop at the first address error or undefined behaviour.
        cache: folder for compiled objects that several builds share.

    Raises:
        BuildError: there is no compiler, or the program does not compile.
    """
    compiler = require_host_compiler()
    texts = dict(program.files) | {Path(name).name: text for name, text in project.items()}
    path = compile_host(texts, folder, compiler, sanitize=sanitize, cache=cache)
    return Firmware(image=path, board_id=HOST_BOARD_ID, compiler=compiler.version)


def _stack(objects: Path, board: Board) -> StackUsage:
    files = sorted(objects.rglob("*.ci"))
    graph = stack.read_call_graph(file.read_text(encoding="utf-8") for file in files)
    if board.hot_code:
        stack.cover_veneers(graph)
    usage = stack.worst_case(graph)
    if usage.worst_case_bytes > board.stack_bytes:
        msg = (
            f"stack in {board.ram[0].name}: needs {usage.worst_case_bytes} bytes, "
            f"{board.stack_bytes} are reserved; path: {' -> '.join(usage.path)}"
        )
        raise BudgetError(msg, f"raise stack_bytes in boards/{board.id}.toml")
    return usage
