"""Output stages whose sums lack a known constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mcubnn.errors import InternalError
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ScoreStage, ThresholdStage
from mcubnn.passes.thresholds import ALWAYS, NEVER


def shift_stage(stage: OutputStage, added: NDArray[np.int64]) -> OutputStage:
    """The stage that gives for `sum` what `stage` gives for `sum + added`.

    Args:
        stage: of the operator.
        added: `[C]`.
    """
    match stage:
        case ThresholdStage():
            old = stage.thresholds.astype(np.int64)
            fixed = (old == ALWAYS) | (old == NEVER)
            moved = np.where(fixed, old, old - added).astype(np.int32)
            return replace(stage, thresholds=moved)
        case ScoreStage():
            bias = (stage.bias + added * stage.multiplier).astype(np.int32)
            return replace(stage, bias=bias)
        case RequantizeStage():
            return replace(stage, bias=stage.bias + added * stage.multiplier)
        case _:
            raise InternalError(f"cannot shift a {type(stage).__name__}")
