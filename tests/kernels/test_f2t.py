"""Where the f2t kernel applies."""

from __future__ import annotations

import numpy as np

from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ScoreStage
from tests.kernels.binary_cases import in_256_classes
from tests.kernels.f2t_cases import F2T, layer


def test_variant_says_why_it_does_not_apply() -> None:
    case = layer(16, 16)
    op = case.op
    assert isinstance(op, BinaryConv2d)
    assert F2T.why_not(op, [case.source]) == ""
    strided = BinaryConv2d(op.weights, Window((3, 3), (1, 2)), -1, op.stage)
    assert "stride" in F2T.why_not(strided, [case.source])
    scores = ScoreStage(None, np.ones(16, np.int32), np.zeros((1, 16), np.int32))
    assert "not bits" in F2T.why_not(op.with_stage(scores), [case.source])
    assert "256 ways" in F2T.why_not(op.with_stage(in_256_classes(16)), [case.source])
