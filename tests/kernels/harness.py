"""Runs kernels on the host: renders cases into one C program, compiles it and reads its output.

Kept apart from `mcubnn.codegen` on purpose: the two renderers check each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import Address, Constant, DeviceOp, KernelCall, Struct, Table, Value
from mcubnn.ops.packing import device_bytes
from mcubnn.ops.variants.base import KernelVariant
from tests.kernels.toolchain import INCLUDES, SANITIZERS, run_tool


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """One operator applied to one input.

    Attributes:
        op: the operator.
        source: type of the input.
        sample: the input, `[*shape]`, unpacked.
        variant: the kernel; None for the operator's portable one.
    """

    op: DeviceOp
    source: TensorType
    sample: Array
    variant: KernelVariant | None = None

    @property
    def call(self) -> KernelCall:
        """The call of the kernel."""
        if self.variant is None:
            return self.op.kernel_call([self.source])
        return self.variant.kernel_call(self.op, [self.source])

    @property
    def expected(self) -> bytes:
        """Output of the reference as it lies in the device's memory."""
        result = self.op.evaluate([self.sample[None]])[0]
        return device_bytes(result, self.op.infer([self.source]).dtype)

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self.op).items() if not hasattr(v, "shape")}
        return f"{self.call.kernel} on {self.source}: {shown}"


@dataclass(frozen=True)
class Host:
    """Runs cases on this computer.

    Attributes:
        compiler: the C compiler.
        objects: the runtime, compiled by it with the sanitizers.
        folder: for programs.
    """

    compiler: str
    objects: Sequence[Path]
    folder: Path

    def run(self, cases: Sequence[Case]) -> Iterator[tuple[Case, str, bytes]]:
        """Run cases in one program; operators that may work in place run a second time so.

        Yields:
            The case, "apart" or "in place", and the bytes of the output.
        """
        program = self.folder / "cases"
        source = program.with_suffix(".c")
        source.write_text(_render_program(cases))
        flags = ("-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZERS)
        run_tool([self.compiler, *flags, *INCLUDES, source, *self.objects, "-o", program])
        output, start = run_tool([program]), 0
        for case in cases:
            for mode in _modes(case):
                size = case.op.infer([case.source]).storage_bytes
                yield case, mode, output[start : start + size]
                start += size
        assert start == len(output)


def _modes(case: Case) -> tuple[str, ...]:
    return ("apart", "in place") if case.op.in_place else ("apart",)


def _render_program(cases: Sequence[Case]) -> str:
    parts = [
        "#include <stdio.h>",
        "#include <stdlib.h>",
        "#include <string.h>",
        '#include "mcubnn/mcubnn.h"',
        *(render_data(i, case) for i, case in enumerate(cases)),
        "int main(void) {",
        *(_render_run(i, case, mode) for i, case in enumerate(cases) for mode in _modes(case)),
        "    return 0;",
        "}",
    ]
    return "\n".join(parts) + "\n"


def render_data(index: int, case: Case) -> str:
    """C definitions of a case: its tables, `case<i>_params` and `case<i>_input`."""
    call = case.call
    sample = device_bytes(case.sample[None], case.source.dtype)
    lines = [_render_table(f"case{index}", table) for table in call.params.tables()]
    lines.append(f"static const mcubnn_{call.kernel}_params case{index}_params =")
    lines.append(f"    {_render_value(f'case{index}', call.params)};")
    if call.scratch_arguments:
        macro = f"MCUBNN_{call.kernel.upper()}_SCRATCH_BYTES"
        arguments = ", ".join(f"{value}u" for value in call.scratch_arguments)
        same = f"{macro}({arguments}) == {call.scratch_bytes}u"
        lines.append(f'_Static_assert({same}, "scratch as the compiler says");')
    lines.append(f"_Alignas(4) static const uint8_t case{index}_input[] = {_braced(sample)};")
    return "\n".join(lines)


def _render_table(prefix: str, table: Table) -> str:
    suffix = "u" if table.c_type.startswith("u") else ""
    values = [f"{int(value)}{suffix}" for value in table.values.ravel()]
    return f"static const {table.c_type} {prefix}_{table.suffix}[] = {_braced(values)};"


def _render_value(prefix: str, value: Value) -> str:
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case Constant():
            return value.identifier
        case Table():
            return f"{prefix}_{value.suffix}"
        case Struct():
            return _braced(f".{name} = {_render_value(prefix, v)}" for name, v in value.fields)
        case Address():
            return f"&(const {value.c_type}){_render_value(prefix, value.struct)}"


def _braced(items: object) -> str:
    assert hasattr(items, "__iter__")
    return "{" + ", ".join(str(item) for item in items) + "}"


def _render_run(index: int, case: Case, mode: str) -> str:
    """Call the kernel on heap buffers of the exact size, which the sanitizer guards."""
    source_bytes = case.source.storage_bytes
    output_bytes = case.op.infer([case.source]).storage_bytes
    call = case.call
    pointer = "const uint32_t *" if case.source.dtype is DType.BIT else "const void *"
    in_place = mode == "in place"
    return f"""    {{
        unsigned char *input = malloc({max(source_bytes, in_place * output_bytes)});
        unsigned char *output = {"input" if in_place else f"malloc({output_bytes})"};
        memset(output, 0xA5, {output_bytes});
        memcpy(input, case{index}_input, {source_bytes});
        const mcubnn_context context = {{malloc({call.scratch_bytes}), {call.scratch_bytes}}};
        const mcubnn_status status =
            mcubnn_{call.kernel}(&context, &case{index}_params, ({pointer})input, output);
        if (status != MCUBNN_SUCCESS) {{
            fprintf(stderr, "case {index} was refused\\n");
            return 1;
        }}
        fwrite(output, 1, {output_bytes}, stdout);
        {"" if in_place else "free(output);"}
        free(context.buffer);
        free(input);
    }}"""
