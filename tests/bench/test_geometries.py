from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from mcubnn.ir.types import DType, TensorType
from mcubnn.ir.verify import verify
from mcubnn.ops.defs.binary_dense import BinaryDense
from mcubnn.ops.evaluate import evaluate_graph
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.variants.base import Isa
from mcubnn.ops.variants.cores import core_for
from tests.bench import geometries
from tests.bench.geometries import benches, variants_for
from tests.bench.rows import PORTABLE

M0, M4 = core_for("cortex-m0"), core_for("cortex-m4")


class _Variant:
    """What discovery asks of a kernel variant."""

    operator: ClassVar[str] = "binary_dense"

    def __init__(self, name: str, isa: Isa, least_inputs: int = 0) -> None:
        self.name = name
        self.isa = isa
        self.least_inputs = least_inputs

    def why_not(self, _op: BinaryDense, sources: list[TensorType]) -> str:
        return "too few inputs" if sources[0].elements < self.least_inputs else ""


def test_every_geometry_is_a_valid_graph_with_half_of_the_bits_set() -> None:
    binary = benches(M4)[0]
    verify(binary.graph)
    tensors = evaluate_graph(binary.graph, binary.images)
    for channels in (32, 64, 128):
        bits = tensors[f"map{channels}"] > 0
        assert bits.mean() == pytest.approx(0.5, abs=0.02)
        set_bits = bits.sum(axis=-1)  # of independent fair coins: binomial
        assert set_bits.std() == pytest.approx(np.sqrt(channels) / 2, rel=0.15)
    for features in (128, 512, 1024):
        assert (tensors[f"vector{features}"] > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_first_layers_are_measured_on_pixels() -> None:
    assert [str(b.graph.tensors[b.graph.input]) for b in benches(M4)[1:]] == [
        "uint8[32x32x3]",
        "uint8[32x32x1]",
    ]
    assert set(benches(M4)[1].cases.values()) == {"first 3x3 3->64"}


def test_variants_come_from_the_table_if_core_and_shape_allow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = (
        _Variant("fast", Isa.THUMB2),
        _Variant("small", Isa.THUMB1),
        _Variant("large", Isa.THUMB1, least_inputs=1000),
    )
    monkeypatch.setattr(geometries, "VARIANTS", table)
    stage = ThresholdStage(None, np.zeros((1, 4), np.int32), np.zeros(4, np.bool_))
    op = BinaryDense(np.ones((4, 1, 1, 64), np.int8), stage)
    source = TensorType((1, 1, 64), DType.BIT)
    assert variants_for(op, source, M0) == (PORTABLE, "small")
    assert variants_for(op, source, M4) == (PORTABLE, "fast", "small")
    binary = benches(M0)[0]
    named = [v for n, v in binary.overrides.items() if binary.cases[n] == "dense 1024->256"]
    assert named == ["small", "large", PORTABLE]
