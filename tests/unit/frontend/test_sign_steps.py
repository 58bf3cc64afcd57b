"""Activations that do not change a sign, in front of binarizers and elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from mcubnn.ir.types import Array
from tests.unit.frontend.onnx_models import (
    f32,
    floats,
    import_checked,
    make_model,
    node,
    ops,
    rejection,
)

_SLOPE = np.abs(floats(3, 1, 1)) + 0.1
_STEPS: list[tuple[NodeProto, dict[str, Array]]] = [
    (node("Tanh", "x", "t"), {}),
    (node("Softsign", "x", "t"), {}),
    (node("LeakyRelu", "x", "t"), {}),
    (node("LeakyRelu", "x", "t", alpha=0.5), {}),
    (node("PRelu", "x a", "t"), {"a": _SLOPE}),
]
_BINARIZERS = {
    "sign": [node("Sign", "t", "y")],
    "where": [node("GreaterOrEqual", "t zero", "b"), node("Where", "b one minus", "y")],
    "less": [node("Less", "zero t", "b"), node("Where", "b one minus", "y")],
    "pool": [node("MaxPool", "t", "m", kernel_shape=[2, 2]), node("Sign", "m", "y")],
}
_CONSTANTS = {"zero": f32(0.0), "one": f32(1.0), "minus": f32(-1.0)}


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step[0].op_type)
@pytest.mark.parametrize("binarizer", _BINARIZERS)
def test_step_in_front_of_a_binarizer_is_dropped(
    tmp_path: Path, step: tuple[NodeProto, dict[str, Array]], binarizer: str
) -> None:
    nodes = [step[0], *_BINARIZERS[binarizer]]
    model = make_model(nodes, _CONSTANTS | step[1], [1, 3, 4, 5])
    graph = import_checked(model, tmp_path)
    assert ops(graph) == (["max_pool", "sign"] if binarizer == "pool" else ["sign"])
    assert graph.notes[0].text.startswith(f"{step[0].op_type} dropped")


@pytest.mark.parametrize(
    ("nodes", "constants", "named"),
    [
        ([node("Tanh", "x", "t"), node("Add", "t c", "a"), node("Sign", "a", "y")], {}, "Tanh"),
        ([node("Tanh", "x", "y")], {}, "Tanh"),
        ([node("Tanh", "x", "t"), node("Flatten", "t", "y")], {}, "Tanh"),
        (
            [node("Tanh", "x", "t"), node("Greater", "t c", "b"), node("Cast", "b", "y", to=1)],
            {},
            "Tanh",
        ),
        (
            [node("LeakyRelu", "x", "t", alpha=-0.5), node("Sign", "t", "y")],
            {},
            "LeakyRelu",
        ),
        ([node("PRelu", "x a", "t"), node("Sign", "t", "y")], {"a": -_SLOPE}, "PRelu"),
        ([node("Elu", "x", "t"), node("Sign", "t", "y")], {}, "Elu"),
    ],
)
def test_step_whose_values_matter_is_refused(
    tmp_path: Path, nodes: list[NodeProto], constants: dict[str, Array], named: str
) -> None:
    model = make_model(nodes, {"c": f32(0.3)} | constants, [1, 3, 4, 5])
    assert f"found {named}" in rejection(model, tmp_path)
