"""What the functions in assembly do to the stack, counted in their disassembly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcubnn.build.stack import ASSEMBLY_BYTES
from tests.kernels.instructions import core_flags
from tests.kernels.toolchain import ASSEMBLY, FLAGS, require_tool, run_tool

CORES = ("cortex-m0plus", "cortex-m4", "cortex-m55")
FUNCTION = re.compile(r"^[0-9a-f]+ <(mcubnn_\w+)>:$")
PUSH = re.compile(r"\t(?:push|stmdb\tsp!,|vpush|str\.w\t\w+, \[sp, #-4\]!)\s*\{?([^}]*)\}?")
SUBTRACT = re.compile(r"\tsub(?:w|\.w)?\tsp,(?: sp,)? #(\d+)")
REGISTERS = {f"{kind}{i}": i for kind in "rd" for i in range(16)} | {
    **{"sl": 10, "fp": 11, "ip": 12, "lr": 14}
}


def pushed_bytes(listed: str) -> int:
    """Bytes of the registers in a list such as `r4, r6-r8, lr` or `d8-d15`."""
    total = 0
    for part in listed.split(","):
        first, _, last = part.strip().partition("-")
        count = REGISTERS[last or first] - REGISTERS[first] + 1
        total += (8 if first.startswith("d") else 4) * count
    return total


def frames(listing: str) -> dict[str, int]:
    """Bytes that each function pushes and reserves, every instruction counted once."""
    found: dict[str, int] = {}
    name = ""
    for line in listing.splitlines():
        start = FUNCTION.match(line)
        if start:
            name = start[1]
            found[name] = 0
        elif push := PUSH.search(line):
            found[name] += pushed_bytes(push[1])
        elif subtract := SUBTRACT.search(line):
            found[name] += int(subtract[1])
    return found


def disassembled_frames(core: str, folder: Path) -> dict[str, int]:
    """Frames of all functions in assembly for one core."""
    found: dict[str, int] = {}
    for index, source in enumerate(ASSEMBLY):
        target = folder / f"{core}_{index}.o"
        flags = (*FLAGS, *core_flags(core))
        compiler: list[str | Path] = [require_tool("arm-none-eabi-gcc"), *flags]
        run_tool([*compiler, "-c", source, "-o", target])
        objdump = require_tool("arm-none-eabi-objdump")
        found |= frames(run_tool([objdump, "-d", "--no-show-raw-insn", target]).decode())
    return found


def test_stack_table_is_what_the_disassembly_says(tmp_path: Path) -> None:
    per_core = [disassembled_frames(core, tmp_path) for core in CORES]
    largest = {
        name: max(found.get(name, 0) for found in per_core) for found in per_core for name in found
    }
    assert largest == {name: ASSEMBLY_BYTES.get(name) for name in largest}


@pytest.mark.parametrize(
    ("listing", "frame_bytes"),
    [
        ("\tpush\t{r4, r5, lr}\n\tsub\tsp, #8", 20),
        ("\tstmdb\tsp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}\n\tsub.w\tsp, sp, #92", 128),
        ("\tpush\t{r4, lr}\n\tvpush\t{d8-d15}\n\tsub\tsp, #8", 80),
    ],
)
def test_frames_are_counted(listing: str, frame_bytes: int) -> None:
    assert frames(f"00000000 <mcubnn_f>:\n{listing}") == {"mcubnn_f": frame_bytes}


@pytest.mark.parametrize(
    "core",
    ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"],
)
def test_clang_assembles_every_file_for_every_core(core: str, tmp_path: Path) -> None:
    runtime = ASSEMBLY[0].parents[2]
    includes = [f"-I{runtime / folder}" for folder in ("include", "src")]
    compiler: list[str | Path] = [require_tool("clang"), "--target=arm-none-eabi"]
    for index, source in enumerate(ASSEMBLY):
        target = tmp_path / f"{index}.o"
        run_tool([*compiler, *core_flags(core), *includes, "-c", source, "-o", target])
        assert target.is_file()
