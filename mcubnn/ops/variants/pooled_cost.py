"""Executed instructions of pooling bits as they are computed: what it adds to a convolution."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mcubnn.ir.types import TensorType
from mcubnn.ops.packing import words_for
from mcubnn.ops.pooled import PooledConv2d
from mcubnn.ops.variants.base import Core, Isa

Counts = Mapping[str, float]
"""Instructions per unit, by the name of the unit."""

# By kernels that do it alike: those that compute sums, and others by their name. Fitted to the
# differences between 80 random layers with and without a pool, built by arm-none-eabi-gcc 12.2 -O2
# and counted by QEMU -icount; with these, layers with a pool deviate by 1 % more than without.
_THUMB2: Mapping[str, Counts] = {
    "sums": {"call": 85, "output": 26, "output_word": 4, "word": 6},
    "f2c": {"call": 72, "output": 16, "output_word": 9.5, "pixel": 19.5, "word": 9.5},
    "f2t": {"call": 0, "output": 20, "output_word": 8.4, "piece": 40, "word": 18},
    "tab": {"call": 22, "output": 15, "column": 147, "word": 12.5},
}
_THUMB1: Mapping[str, Counts] = {
    "sums": {"call": 75, "output": 16, "output_word": 14, "pixel": 5, "element": 0.8},
    "f2c": {"call": 80, "output": 13, "output_word": 13.5, "pixel": 29, "word": 11},
    "f2t": {"call": 0, "output": 31, "output_word": 9.4, "piece": 74, "word": 32},
    "tab": {"call": 45, "output": 15.5, "column": 168, "block_word": 27.5, "word": 14.8},
}


def pool_instructions(
    kernels: str,
    op: PooledConv2d,
    source: TensorType,
    core: Core,
    others: Counts = MappingProxyType({}),
) -> float:
    """What a kernel executes in addition because of the pool; 0 without one.

    Args:
        kernels: those like it, see above.
        op: the convolution.
        source: its input.
        core: what executes it.
        others: how often these kernels do what only they do.
    """
    if op.pool is None:
        return 0.0
    counts = (_THUMB2 if Isa.THUMB2 in core.isas else _THUMB1)[kernels]
    units = {**_units(op, source), **others}
    return sum(each * units[name] for name, each in counts.items())


def _units(op: PooledConv2d, source: TensorType) -> Counts:
    """How often all kernels do what pooling needs: fill the output, fold pixels into it."""
    result = op.infer([source])
    words, outputs = words_for(result.channels), result.elements // result.channels
    rows, columns = op.computed(source)
    pixels = len(rows) * len(columns)
    return {
        "call": 1,
        "output": outputs,
        "output_word": outputs * words,
        "pixel": pixels,
        "word": pixels * words,
        "element": pixels * result.channels,
    }
