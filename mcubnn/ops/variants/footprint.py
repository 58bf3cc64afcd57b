"""What a kernel adds to an image: constants, code that kernels may share, and stack.

Sizes of objects of arm-none-eabi-gcc 12.2 -O2 for Cortex-M0 (Thumb-1) and the largest of M3, M4 and
M7 (Thumb-2); tests/kernels/test_footprint.py measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcubnn.ops.base import KernelCall
from mcubnn.ops.variants.base import Core, Footprint, Isa

SOURCE_BYTES: Mapping[str, tuple[int, int]] = {
    "binary_conv2d.c": (1396, 1240),
    "binary_conv2d_f2c_pixel.c": (1636, 1640),
    "binary_conv2d_f2c_rows.c": (2020, 1960),
    "binary_conv2d_f2t.c": (2444, 2352),
    "binary_conv2d_mdfa.c": (1224, 1252),
    "binary_dense.c": (364, 312),
    "binary_dense_f2c.c": (348, 304),
    "binary_dense_mdfa.c": (280, 280),
    "bit_max_pool.c": (716, 680),
    "check.c": (216, 192),
    "f2c_list.S": (396, 704),
    "f2c_sum.S": (1428, 1812),
    "f2t_sum.S": (732, 1296),
    "input_conv2d.c": (1024, 1024),
    "input_conv2d_tab.S": (816, 828),
    "input_conv2d_tab.c": (1852, 1812),
    "input_dense.c": (476, 480),
    "int8_conv2d.c": (880, 824),
    "int8_dense.c": (268, 268),
    "int8_max_pool.c": (640, 616),
    "mdfa_sums.S": (624, 696),
    "output_stage.c": (744, 660),
    "pooled.c": (216, 216),
    "threshold.c": (312, 280),
    "unpack_bits.c": (136, 132),
}
"""Code by source file, Thumb-1 and Thumb-2."""


@dataclass(frozen=True)
class Kernel:
    """A kernel's function and what it calls.

    Attributes:
        stack_bytes: of the deepest path from it, Thumb-1 and Thumb-2.
        needs: sources beside its own.
    """

    stack_bytes: tuple[int, int]
    needs: tuple[str, ...] = ("check.c",)


_POOL = "pooled.c"
_STAGE = ("check.c", "output_stage.c")
_F2C = ("check.c", "f2c_list.S", "f2c_sum.S")
_MDFA = (*_STAGE, "mdfa_sums.S")

KERNELS: Mapping[str, Kernel] = {
    "binary_conv2d": Kernel((560, 456), (*_STAGE, _POOL)),
    "binary_conv2d_f2c_pixel": Kernel((416, 400), (*_F2C, _POOL)),
    "binary_conv2d_f2c_rows": Kernel((712, 688), (*_F2C, _POOL)),
    "binary_conv2d_f2t": Kernel((528, 536), ("check.c", "f2t_sum.S", _POOL)),
    "binary_conv2d_mdfa": Kernel((528, 416), (*_MDFA, _POOL)),
    "binary_dense": Kernel((344, 248), _STAGE),
    "binary_dense_f2c": Kernel((248, 240), _F2C),
    "binary_dense_mdfa": Kernel((320, 272), _MDFA),
    "bit_max_pool": Kernel((248, 176)),
    "input_conv2d": Kernel((528, 432), (*_STAGE, _POOL)),
    "input_conv2d_tab": Kernel((408, 400), ("check.c", "input_conv2d_tab.S", _POOL)),
    "input_dense": Kernel((360, 288), _STAGE),
    "int8_conv2d": Kernel((440, 360), _STAGE),
    "int8_dense": Kernel((320, 248), _STAGE),
    "int8_max_pool": Kernel((152, 80)),
    "threshold": Kernel((336, 248), _STAGE),
    "unpack_bits": Kernel((32, 24)),
}


_MVE_SOURCE_BYTES: Mapping[str, int] = {"check.c": 172, "f2c_sum.S": 1368, "unpack_bits.c": 116}
"""Sources whose code for a core with MVE is not about as large as for Thumb-2."""

_MVE_STACK_BYTES: Mapping[str, int] = {"f2c_sum.S": 330, "input_conv2d_tab.c": 48}
"""What these take on the stack beyond the same for Thumb-2, mostly for saved vectors."""


def footprint(call: KernelCall, core: Core) -> Footprint:
    """What a call adds to an image for a core."""
    sources = (f"{call.kernel}.c", *KERNELS[call.kernel].needs)
    return Footprint(
        scratch_bytes=call.scratch_bytes,
        table_bytes=call.weight_bytes,
        code_bytes={source: source_bytes(source, core) for source in sources},
        stack_bytes=stack_bytes(call.kernel, core),
    )


def source_bytes(source: str, core: Core) -> int:
    """Code that a source adds."""
    if Isa.MVE in core.isas and source in _MVE_SOURCE_BYTES:
        return _MVE_SOURCE_BYTES[source]
    return SOURCE_BYTES[source][_column(core)]


def stack_bytes(kernel: str, core: Core) -> int:
    """Stack of the deepest path from a kernel's function."""
    more = _MVE_STACK_BYTES if Isa.MVE in core.isas else {}
    sources = (f"{kernel}.c", *KERNELS[kernel].needs)
    return KERNELS[kernel].stack_bytes[_column(core)] + sum(more.get(name, 0) for name in sources)


def _column(core: Core) -> int:
    return int(core.isas[-1] is not Isa.THUMB1)
