"""Runs kernels on emulated cores and counts executed instructions.

QEMU's `-icount shift=0` makes one executed instruction one nanosecond of virtual time, and the
emulated board's SysTick counts it at 25 or 32 MHz. So counts are exact up to one tick, 40
instructions at most; they say nothing of memory or the pipeline.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kernels.harness import Case, render_data
from tests.kernels.toolchain import INCLUDES, compile_objects, require_tool, run_tool

MACHINES = {
    "cortex-m0plus": "mps2-an385",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m55": "mps3-an547",
}
"""QEMU's machine for each core. Armv6-M code runs on a Cortex-M3, which has all its instructions;
QEMU's own Armv6-M board has too little memory for most tests."""

SMALL_MACHINE = "microbit"
"""A Cortex-M0 with 256 KiB of flash and 16 KiB of RAM. Its SysTick does not count instructions."""

INSTRUCTIONS_PER_TICK = 40
"""The most: on MPS2."""

_MPS3 = "mps3-an547"
_MPS3_INSTRUCTIONS_PER_TICK = 31.25
_RUNNER = Path(__file__).with_name("emulated.c")
_RESULT = "result.bin"


@dataclass(frozen=True)
class Run:
    """What a kernel gave on an emulated core.

    Attributes:
        output: its bytes.
        instructions: executed from the call to the return, to within one tick.
    """

    output: bytes
    instructions: int


def core_flags(core: str) -> list[str]:
    """Compiler flags for a core."""
    # gcc offers MVE only with an ABI for floating point.
    return [f"-mcpu={core}", "-mthumb", f"-mfloat-abi={'hard' if core == 'cortex-m55' else 'soft'}"]


class Emulator:
    """Runs cases on emulated cores; compiles the runtime once for each of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._objects: dict[str, list[Path]] = {}

    def run(self, core: str, cases: Sequence[Case], machine: str | None = None) -> list[Run]:
        """Run cases in one image.

        Args:
            core: what to compile for, as in MACHINES.
            cases: what to run.
            machine: instead of the one in MACHINES.
        """
        image = self._build(core, cases)
        run_tool(
            [
                require_tool("qemu-system-arm"),
                *("-machine", machine or MACHINES[core], "-display", "none", "-serial", "none"),
                *("-monitor", "none", "-semihosting-config", "enable=on,target=native"),
                *("-icount", "shift=0", "-kernel", image.name),
            ],
            image.parent,
        )
        per_tick = _MPS3_INSTRUCTIONS_PER_TICK if _is_mps3(core) else INSTRUCTIONS_PER_TICK
        return _read((image.parent / _RESULT).read_bytes(), cases, per_tick)

    def _build(self, core: str, cases: Sequence[Case]) -> Path:
        compiler, folder = require_tool("arm-none-eabi-gcc"), self._folder / core
        if core not in self._objects:
            self._objects[core] = compile_objects(compiler, core_flags(core), folder)
        (folder / _RESULT).unlink(missing_ok=True)  # of the last run
        source, image = folder / "image.c", folder / "image.elf"
        source.write_text(_render(cases))
        flags = [*core_flags(core), "-std=gnu11", "-O1", "-ffreestanding", "-nostartfiles"]
        layout = Path(__file__).with_name("emulated_mps3.ld" if _is_mps3(core) else "emulated.ld")
        script = [f"-Wl,-T,{layout}", "-Wl,--gc-sections"]
        objects = self._objects[core]
        run_tool([compiler, *flags, *script, *INCLUDES, source, *objects, "-lgcc", "-o", image])
        return image


def _is_mps3(core: str) -> bool:
    return MACHINES.get(core) == _MPS3


def _render(cases: Sequence[Case]) -> str:
    outputs = [case.op.infer([case.source]).storage_bytes for case in cases]
    scratch = [case.call.scratch_bytes for case in cases]
    lines = [
        '#include "mcubnn/mcubnn.h"',
        "typedef struct {",
        "    mcubnn_status (*run)(const mcubnn_context *context);",
        "    uint32_t output_bytes, scratch_bytes;",
        "} emulated_case;",
        f"#define OUTPUT_WORDS {-(-max(outputs) // 4)}",
        f"#define SCRATCH_WORDS {-(-max(scratch) // 4)}",
        "static uint32_t output[];",
    ]
    for index, case in enumerate(cases):
        lines += [render_data(index, case), _render_call(index, case)]
    lines.append("static const emulated_case cases[] = {")
    lines += [
        f"    {{run{i}, {o}, {s}}}," for i, (o, s) in enumerate(zip(outputs, scratch, strict=True))
    ]
    lines += ["};", f'#include "{_RUNNER}"']
    return "\n".join(lines) + "\n"


def _render_call(index: int, case: Case) -> str:
    return f"""static mcubnn_status run{index}(const mcubnn_context *context) {{
    return mcubnn_{case.call.kernel}(context, &case{index}_params,
                                     (const void *)case{index}_input, output);
}}"""


def _read(data: bytes, cases: Sequence[Case], per_tick: float) -> list[Run]:
    runs, start = [], 0
    for case in cases:
        size = case.op.infer([case.source]).storage_bytes
        status, ticks = struct.unpack_from("<iI", data, start)
        assert status == 0, f"{case}: status {status}"
        output = data[start + 8 : start + 8 + size]
        runs.append(Run(output, round(ticks * per_tick)))
        start += 8 + size
    assert start == len(data)
    return runs
