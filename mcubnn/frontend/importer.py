"""Entry of the frontend: a model file to a graph of source operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcubnn.artifacts import InputLayout
from mcubnn.errors import ModelError
from mcubnn.frontend.input_layout import spread_input, with_layout
from mcubnn.frontend.names import model_name
from mcubnn.frontend.problems import printable
from mcubnn.frontend.raw import RawGraph
from mcubnn.frontend.reader import read_onnx
from mcubnn.frontend.rewrite import Simplified, live_part, simplify
from mcubnn.frontend.sign_steps import drop_sign_steps
from mcubnn.frontend.tail import drop_tail
from mcubnn.frontend.translate import translate
from mcubnn.ir.graph import Graph
from mcubnn.ir.verify import verify


def import_model(path: Path, layout: InputLayout | None = None) -> Graph:
    """Read a model file.

    Args:
        path: an ONNX file; its external data, if any, lies in the same folder.
        layout: of a four-dimensional input, where the user says it.

    Returns:
        A graph with a float32 input of shape (H, W, C) or (F,), which computes what the model
        computes up to the class scores.

    Raises:
        ModelError: the file cannot be read, or nodes that cannot be compiled: all of them.
        UsageError: the network contradicts the layout.
    """
    simplified = simplify(read_onnx(path))
    _check_finite(simplified)
    raw = spread_input(live_part(drop_sign_steps(drop_tail(simplified.graph))))
    if not any(raw.input in node.inputs for node in raw.nodes):
        raise ModelError(
            f"{raw.file}: the output {printable(raw.output)} does not depend on the input "
            f"{printable(raw.input)} through any operator",
            "export the network again",
        )
    raw, source = with_layout(raw, layout)
    graph = translate(raw, model_name(path.stem), source, simplified.failures)
    verify(graph)
    return graph


def _check_finite(simplified: Simplified) -> None:
    """Report NaN and infinity in the weights of the file, before they spread in computations."""
    raw: RawGraph = simplified.graph
    bad: list[str] = []
    for name, value in sorted(simplified.origins.items()):
        if value.dtype.kind != "f":
            continue
        wrong = np.isnan(value) if value.size == 1 else ~np.isfinite(value)  # a bound may be inf
        if wrong.any():
            bad.append(f"  {printable(name)}: {int(wrong.sum())} of {value.size} values")
    if bad:
        raise ModelError(
            "\n".join([f"{raw.file}: weights that are NaN or infinite:", *bad[:20]]),
            "train again, or find where the weights diverged",
        )
