"""Cases for the mdfa kernel: every number of words in a row, every output stage."""

from __future__ import annotations

import numpy as np

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.variants.binary_dense_mdfa import BinaryDenseMdfa
from tests.kernels.binary_cases import UNLIKE, activations
from tests.kernels.cases import batches_for, random_signs, random_stage
from tests.kernels.harness import Case
from tests.kernels.promises import Goal, Promises

MDFA = BinaryDenseMdfa()


def case(inputs: int, outputs: int, kind: str = "s32", pattern: str = "even") -> Case:
    rng = np.random.default_rng(inputs + outputs)
    weights = random_signs(rng, (outputs, inputs))
    weights[:: outputs - 1] = 1  # with all inputs -1 or +1 every bit differs, or none
    op = BinaryDense(weights, random_stage(rng, kind, outputs, (), inputs))
    source = TensorType((inputs,), DType.BIT)
    return Case(op, source, activations(rng, source.shape, pattern), MDFA)


def lengths(kind: str) -> list[Case]:
    """Rows of 2 to 68 words with all, no and some differences, and one of 2048 words."""
    patterns = ("zero", "one", "even")
    return [case(32 * words, 3, kind, p) for words in range(2, 70, 3) for p in patterns] + [
        case(65535, 2, kind, p) for p in patterns
    ]


PROMISES = Promises(
    batches=batches_for(MDFA),
    goals={
        "256 -> 10": Goal(case(256, 10), 16.5, 23.6),
        "512 -> 10": Goal(case(512, 10), 11.8, 16.3),
        "1024 -> 10": Goal(case(1024, 10), 9.3, 12.7),
        "4096 -> 10": Goal(case(4096, 10), 7.4, 10.1),
        "512 -> 64, bits": Goal(case(512, 64, "bits"), 10.9, 15.0),
        "1024 -> 256, bits": Goal(case(1024, 256, "bits"), 8.5, 11.7),
        "512 -> 100, int8": Goal(case(512, 100, "s8"), 13.0, 20.6),
        "100 -> 10": Goal(case(100, 10), 34.6, 48.8),
    },
    fixed=[*lengths("s32"), *lengths("bits")],
    same_time=[case(736, 40, "s32", p) for p in UNLIKE],
)
