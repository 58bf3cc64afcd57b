"""Where the mdfa kernel applies."""

from __future__ import annotations

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.unpack_bits import UnpackBits
from tests.kernels.cases import STAGES
from tests.kernels.mdfa_cases import MDFA, case


def test_variant_is_for_dense_layers_of_bits_only() -> None:
    source = TensorType((64,), DType.BIT)
    assert all(MDFA.why_not(case(64, 2, kind).op, [source]) == "" for kind in STAGES)
    assert "binary_dense" in MDFA.why_not(UnpackBits(), [source])
