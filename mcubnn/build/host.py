"""Compiles the same C program for this computer, so that results can be checked without a board.

Objects are kept by the hash of everything they depend on, so only changed files are compiled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mcubnn import resources
from mcubnn.build.folder import write_folder
from mcubnn.build.process import run_logged
from mcubnn.build.toolchain import Tool

SANITIZE_FLAGS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g1",
)
_DEADLINE_S = 300.0
_PARALLEL = 2


@dataclass(frozen=True)
class _Unit:
    """One source file, its compiler arguments, and the name of its object in the cache."""

    source: Path
    arguments: tuple[str, ...]
    key: str


def compile_host(
    texts: Mapping[str, str],
    folder: Path,
    compiler: Tool,
    *,
    sanitize: bool = False,
    cache: Path | None = None,
) -> Path:
    """Compile and link runtime, firmware, the stdin/stdout port and the given files.

    Args:
        texts: generated C and headers by file name (the model and `firmware_model.h`).
        folder: gets `source/` and the program.
        compiler: gcc or clang.
        sanitize: stop at the first address error or undefined behaviour.
        cache: where objects are kept; `folder/objects` if None. Several builds may share one.

    Returns:
        The executable.

    Raises:
        BuildError: a file does not compile, or the program does not link.
    """
    source = folder / "source"
    write_folder(texts, source)
    cache = folder / "objects" if cache is None else cache
    cache.mkdir(parents=True, exist_ok=True)
    flags = _flags(sanitize=sanitize)
    units = _units(source, sorted(texts), flags, compiler)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        objects = list(pool.map(lambda unit: _compile(unit, compiler, cache), units))
    link = (*flags, *(str(path) for path in objects))
    linked = cache / f"{_hash([compiler.version, *link])}.program"
    if not linked.is_file():
        _run(compiler, link, linked)
    program = folder / ("firmware_sanitized" if sanitize else "firmware")
    partial = program.with_suffix(".partial")
    shutil.copy2(linked, partial)
    partial.replace(program)
    return program


def _flags(*, sanitize: bool) -> tuple[str, ...]:
    text = (resources.runtime_dir() / "compile_flags.txt").read_text(encoding="utf-8")
    return (*text.split(), *(SANITIZE_FLAGS if sanitize else ()))


def _units(
    source: Path, names: Sequence[str], flags: tuple[str, ...], compiler: Tool
) -> list[_Unit]:
    """Runtime files see no generated header, so their objects serve every model."""
    runtime = resources.runtime_dir()
    library_dirs = [runtime / "include", runtime / "src"]
    program_dirs = [source, runtime / "include", runtime / "firmware", runtime / "port"]
    groups = [
        (sorted((runtime / "src").rglob("*.c")), library_dirs),
        ([source / name for name in names if name.endswith(".c")], program_dirs),
        (sorted((runtime / "firmware").glob("*.c")), program_dirs),
        (sorted((runtime / "port" / "posix").glob("*.c")), [runtime / "port"]),
    ]
    units = []
    for files, folders in groups:
        arguments = (*flags, *(f"-I{folder}" for folder in folders))
        headers = _header_digest(folders)
        for file in files:
            text = file.read_bytes().hex()
            key = _hash([str(compiler.path), compiler.version, *flags, headers, file.name, text])
            units.append(_Unit(file, arguments, key))
    return units


def _header_digest(folders: Iterable[Path]) -> str:
    parts = []
    for folder in folders:
        for header in sorted(folder.rglob("*.h")):
            parts += [header.relative_to(folder).as_posix(), header.read_bytes().hex()]
    return _hash(parts)


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _compile(unit: _Unit, compiler: Tool, cache: Path) -> Path:
    result = cache / f"{unit.key}.o"
    if not result.is_file():
        _run(compiler, (*unit.arguments, "-c", str(unit.source)), result)
    return result


def _run(compiler: Tool, arguments: Sequence[str], result: Path) -> None:
    """Run the compiler; `result` appears only when it is complete."""
    partial = result.with_suffix(f".partial-{os.getpid()}-{threading.get_ident()}")
    log = result.with_suffix(".log")
    command = [str(compiler.path), *arguments, "-o", str(partial)]
    try:
        run_logged(command, log, _DEADLINE_S)
        partial.replace(result)
    finally:
        partial.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
