"""Sizes and symbols of a linked image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from mcubnn.artifacts import ARENA_SECTION, HOT_SECTION, SymbolSize
from mcubnn.errors import BuildError

STACK_SECTION = ".mcubnn_stack"


@dataclass(frozen=True)
class Image:
    """What an ELF file says about memory; sizes are bytes.

    Attributes:
        text_bytes: code, and everything else in flash that is not listed here.
        rodata_bytes: constants.
        data_bytes: initialised variables; they count in flash and in RAM.
        bss_bytes: other variables, the model's arena included.
        stack_bytes: what the linker script reserves.
        hot_bytes: code that is copied to RAM; it counts in flash and in RAM.
        in_ram: names of the sections in RAM.
    """

    text_bytes: int
    rodata_bytes: int
    data_bytes: int
    bss_bytes: int
    stack_bytes: int
    hot_bytes: int
    symbols: tuple[SymbolSize, ...]
    in_ram: frozenset[str]


def read_image(path: Path) -> Image:
    """Read section and symbol sizes.

    Raises:
        BuildError: the file is not an ELF image.
    """
    try:
        with path.open("rb") as file:
            return _image(ELFFile(file))
    except (OSError, ELFError) as error:
        msg = f"{path} is not a readable ELF image: {error}"
        raise BuildError(msg, "delete the folder and build again") from error


def check_constants(image: Image, names: Iterable[str]) -> None:
    """Check that the model's tables are in flash.

    A name that is not in the image is fine: the compiler may have folded the table into code.

    Raises:
        BuildError: tables lie in RAM; all are named.
    """
    wanted = set(names)
    wrong = [s for s in image.symbols if s.name in wanted and s.section in image.in_ram]
    if wrong:
        rows = "\n".join(f"{s.name}: {s.size_bytes} bytes in {s.section}" for s in wrong)
        msg = f"tables of weights must be constants in flash, but these are in RAM:\n{rows}"
        raise BuildError(msg, "declare them const")


def check_arena(image: Image, name: str) -> None:
    """Check that the linker script put the model's arena where the plan wants it.

    Raises:
        BuildError: it lies in another section.
    """
    wrong = [s for s in image.symbols if s.name == name and s.section != ARENA_SECTION]
    if wrong:
        msg = f"{name} must be in {ARENA_SECTION}, but is in {wrong[0].section}"
        raise BuildError(msg, "compile with -fdata-sections, or use the generated linker.ld")


def _image(elf: ELFFile) -> Image:
    sections = list(elf.iter_sections())
    counted = (".rodata", ".data", ".bss", ARENA_SECTION, STACK_SECTION, HOT_SECTION)
    sizes = dict.fromkeys(counted, 0)
    text_bytes = 0
    in_ram = {HOT_SECTION}
    for section in sections:
        if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC:
            continue
        if section["sh_flags"] & SH_FLAGS.SHF_WRITE or section["sh_type"] == "SHT_NOBITS":
            in_ram.add(section.name)
        if section.name in sizes:
            sizes[section.name] += section["sh_size"]
        else:
            text_bytes += section["sh_size"]
    names = [section.name for section in sections]
    symbols = [
        SymbolSize(symbol.name, names[symbol["st_shndx"]], symbol["st_size"])
        for table in sections
        if isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols()
        if symbol["st_size"] and isinstance(symbol["st_shndx"], int)
    ]
    return Image(
        text_bytes=text_bytes,
        rodata_bytes=sizes[".rodata"],
        data_bytes=sizes[".data"],
        bss_bytes=sizes[".bss"] + sizes[ARENA_SECTION],
        stack_bytes=sizes[STACK_SECTION],
        hot_bytes=sizes[HOT_SECTION],
        symbols=tuple(sorted(symbols, key=lambda s: (-s.size_bytes, s.name, s.section))),
        in_ram=frozenset(in_ram),
    )
