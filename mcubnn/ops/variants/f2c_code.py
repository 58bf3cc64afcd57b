"""What the f2c kernels' code executes on each instruction set, piece by piece.

The inner functions are counted instruction by instruction in runtime_c/src/thumb1, thumb2 and mve;
the numbers in parentheses are the lines of f2c_sum.S and f2c_list.S in their order. The C code
around them was fitted to 120 random layers of each kernel with all inputs -1 and all +1, when no
entry is walked (arm-none-eabi-gcc 12.2 -O2, QEMU -icount); it differs by a few instructions between
cores of one instruction set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mcubnn.ops.variants.base import Core, Isa

_Piece = TypeVar("_Piece")

CODE_BOUND = 1.1
"""Bound of the code around the inner functions, as a share of its estimate."""


@dataclass(frozen=True)
class SumCode:
    """mcubnn_f2c_sum. A step adds one entry, or as many as a vector has lanes.

    Attributes:
        call: entry and return.
        word: an output word: start, segments, comparison.
        high_planes, high_plane: in addition if there are any, and for each of them.
        segment: a segment without entries.
        part: what a segment whose steps do not fill their blocks takes more than one whose do.
        adders: per 2^k steps what is done behind the first half of them, and behind all:
            (steps, first, second). A block that begins behind its first half omits the first.
        block: the end of a block, in addition to its steps and adders.
        rippled_planes: planes of weight below 256 that carries run through in a loop.
        block_steps: steps of a block.
        lanes: entries of a step.
        step: a step.
        entries: what a segment with entries takes more, whole blocks or not.
        block_high_plane: of each block, for each high plane; 0 if only carries cost there.
    """

    call: int
    word: int
    high_planes: int
    high_plane: int
    segment: int
    part: int
    adders: tuple[tuple[int, int, int], ...]
    block: int
    rippled_planes: int
    block_steps: int
    lanes: int
    step: int
    entries: int
    block_high_plane: int

    def part_of_block(self, steps: int) -> int:
        """A block that begins with its last steps, 1 and more, to the branch behind it."""
        skipped = self.block_steps - steps
        total = steps * self.step + self.block
        for size, first, second in self.adders:
            total += (self.block_steps // size - skipped // size) * (first + second)
            total -= first if skipped % size >= size // 2 else 0
        return total


@dataclass(frozen=True)
class ListCode:
    """mcubnn_f2c_list.

    Attributes:
        call: entry and return.
        pixel: a pixel without channels.
        word: 32 channels.
        rest: what begins the channels behind the last whole word.
        quad: four channels of these.
    """

    call: int
    pixel: int
    word: int
    rest: int
    quad: int


@dataclass(frozen=True)
class RowsCode:
    """mcubnn_binary_conv2d_f2c_rows without the inner functions.

    Attributes:
        call: once.
        output_row, window_row: a row of the output, and each row of its window.
        listed_row, padding: a row of the map and, apart from mcubnn_f2c_list, a pixel of padding.
        pixel, clipped, row: an output pixel, one with clipping, and each row of its window.
        unset, unset_row: if its unset inputs are walked, in addition.
    """

    call: int
    output_row: int
    window_row: int
    listed_row: int
    padding: int
    pixel: int
    clipped: int
    row: int
    unset: int
    unset_row: int


@dataclass(frozen=True)
class PixelCode:
    """mcubnn_binary_conv2d_f2c_pixel without the inner functions.

    Attributes:
        call, output_row: once, and for each row of the output.
        pixel, row: an output pixel, and each row of its window.
        list_call: each call of mcubnn_f2c_list.
        unset: of an output pixel, in addition, if its unset inputs are walked.
    """

    call: int
    output_row: int
    pixel: int
    row: int
    list_call: int
    unset: int


@dataclass(frozen=True)
class Code:
    """All of it for one instruction set.

    Attributes:
        sum, list: the inner functions.
        rows, pixel: the convolutions.
        dense: mcubnn_binary_dense_f2c.
        cycles_per_instruction: with zero wait states.
    """

    sum: SumCode
    list: ListCode
    rows: RowsCode
    pixel: PixelCode
    dense: int
    cycles_per_instruction: float


def _columns(piece: Callable[..., _Piece], **rows: tuple[object, ...]) -> tuple[_Piece, ...]:
    """A piece of code on each instruction set: a row is an attribute's values on all of them."""
    columns = zip(*rows.values(), strict=True)
    return tuple(piece(**dict(zip(rows, column, strict=True))) for column in columns)


# The columns are Thumb-1, Thumb-2 and MVE.
#
# Thumb-1: entry and return (15, 7, minus the last word's 7); start (26), segments (4, 4 minus 2),
# comparison (50), word done (7, 7). A high plane adds 6 and 8, and 3 in all. A segment (2, 15, 2
# and the branch out of its last block); its part (18, minus 3).
# Groups of four: 2 loads, 1 + 3 operations, then 2 loads, 1 + 5 operations. The end: a full adder
# (6), a half adder (6), the branches (5).
#
# Thumb-2: entry and return (8, 2); start (12), segments (3, 3), comparison (49), next word (6). A
# high plane adds 5 and 8, and 3 in all. A segment (11, 3 and its last branch); its part (12).
# Groups of four: 4 loads, 2 + 8 operations. Pairs are stored behind 16 entries and fetched behind
# 32 (1 each). The end is fetching (2), a double and a single adder (12), two half adders (4),
# storing (1), and the branches (5).
#
# MVE: entry and return (8, 3); start (5, 5 a plane, 2), the end of its segments (3), comparison
# (10, 19 a plane, 8). A high plane adds 5 and 19. A segment (6); with entries (11, 6, 2, 4, at most
# 3, 1 and the branch out of its last block).
# A step is 2; groups of four: 2 + 8 operations, then 8 and the plane (2). Pairs are stored half-way
# (2) and fetched behind (2), with 8 and the plane (2). The end is a single full adder with its
# plane (6), three half adders with theirs (4), the high planes (2), the branch (2).
_SUMS = _columns(
    SumCode,
    call=(15, 10, 11),
    word=(96, 73, 220),
    high_planes=(3, 3, 0),
    high_plane=(14, 13, 24),
    segment=(18, 15, 6),
    part=(15, 12, 0),
    adders=(
        ((4, 6, 8), (8, 3, 5), (16, 6, 8), (32, 6, 8), (64, 7, 8)),
        ((4, 0, 14), (8, 0, 8), (16, 0, 8), (32, 1, 9), (64, 1, 0)),
        ((4, 0, 10), (8, 0, 10), (16, 2, 12), (32, 2, 12)),
    ),
    block=(17, 24, 22),
    rippled_planes=(1, 0, 0),
    block_steps=(64, 64, 32),
    lanes=(1, 1, 4),
    step=(1, 1, 2),
    entries=(0, 0, 28),
    block_high_plane=(0, 0, 5),
)
# Thumb-1: entry and return (18, 12); a pixel (4, 12); a word (9, 2 and one more for the last) and
# its quads: dispatch (4), stores (7), next (6).
# Thumb-2, which cores with MVE run too: entry and return (12); a pixel (3, 2, 8); a word (100); the
# rest (1), its quads (16).
_THUMB_LISTS = _columns(
    ListCode,
    call=(30, 12),
    pixel=(16, 13),
    word=(147, 100),
    rest=(12, 1),
    quad=(17, 16),
)
_ROWS = _columns(
    RowsCode,
    call=(425, 290, 262),
    output_row=(178, 111, 118),
    window_row=(54, 26, 32),
    listed_row=(86, 50, 60),
    padding=(8, 11, 11),
    pixel=(108, 77, 88),
    clipped=(16, 1, 0),
    row=(15, 14, 15),
    unset=(7, 3, 12),
    unset_row=(17, 14, 12),
)
_PIXELS = _columns(
    PixelCode,
    call=(393, 231, 210),
    output_row=(90, 88, 101),
    pixel=(169, 110, 118),
    row=(33, 26, 28),
    list_call=(16, 19, 20),
    unset=(3, 3, 2),
)
# Cycles, on Thumb-1: a block of 64 entries takes 468 instructions and, by the technical reference
# manual's timing of Cortex-M0+, 602 cycles: two for a load, a store or a taken branch.
# On Thumb-2: a block of 64 entries takes 429 instructions and, by the technical reference manuals'
# timing of Cortex-M3 and -M4, 468 cycles: loads and stores that follow each other are pipelined.
# Shorter runs are a little less efficient.
# With MVE an assumption, for Arm publishes no timing of Cortex-M55: two cycles for a vector
# instruction, four for a gathering load, one for any other, and nothing overlaps. A block of 128
# entries takes 248 instructions and 558 cycles; what is around it has fewer vector instructions.
_THUMB1, _THUMB2, _MVE = _columns(
    Code,
    sum=_SUMS,
    list=(*_THUMB_LISTS, _THUMB_LISTS[-1]),
    rows=_ROWS,
    pixel=_PIXELS,
    dense=(223, 115, 115),
    cycles_per_instruction=(1.29, 1.13, 2.0),
)

_CORTEX_M7_CYCLES_PER_INSTRUCTION = 0.66
"""It issues up to two instructions a cycle."""


def code_for(core: Core) -> Code:
    """The code that is compiled for a core."""
    if Isa.MVE in core.isas:
        return _MVE
    return _THUMB2 if Isa.THUMB2 in core.isas else _THUMB1


def cycles(instructions: float, core: Core) -> float:
    """Cycles with zero wait states."""
    if core.cpu == "cortex-m7":
        return instructions * _CORTEX_M7_CYCLES_PER_INSTRUCTION
    return instructions * code_for(core).cycles_per_instruction
