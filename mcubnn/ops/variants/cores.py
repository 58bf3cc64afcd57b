"""The cores that kernels are chosen for."""

from __future__ import annotations

from mcubnn.errors import UsageError
from mcubnn.ops.variants.base import Core, Isa

HOST = Core("host", (Isa.HOST,))

_THUMB1 = (Isa.THUMB1,)
_THUMB2 = (Isa.THUMB1, Isa.THUMB2)

_CORES = {
    "host": HOST,
    "cortex-m0": Core("cortex-m0", _THUMB1),
    "cortex-m0plus": Core("cortex-m0plus", _THUMB1),
    "cortex-m23": Core("cortex-m23", _THUMB1),
    "cortex-m3": Core("cortex-m3", _THUMB2),
    "cortex-m4": Core("cortex-m4", _THUMB2),
    "cortex-m7": Core("cortex-m7", _THUMB2),
    "cortex-m33": Core("cortex-m33", _THUMB2),
    "cortex-m55": Core("cortex-m55", (*_THUMB2, Isa.MVE)),
}


def core_for(cpu: str) -> Core:
    """The core of a `-mcpu` value.

    Raises:
        UsageError: nothing is known about it.
    """
    core = _CORES.get(cpu)
    if core is None:
        raise UsageError(
            f"cpu {cpu}: no kernels are known for it; known: {', '.join(_CORES)}",
            "add the core to mcubnn/ops/variants/cores.py",
        )
    return core
