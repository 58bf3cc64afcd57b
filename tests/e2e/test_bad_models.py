"""Model files that cannot be compiled: exit code 3, one screen, no folder left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.e2e.command_line import Command
from tests.unit.frontend.onnx_models import binary_dense, make_model, node


def _symbolic() -> bytes:
    return make_model([node("Sign", "x", "y")], {}, ["N", 3, "height", 8]).SerializeToString()


def _unsupported() -> bytes:
    kinds = ("Sin", "Erf", "LSTM", "Tan")
    names = ["x", "a", "b", "c", "y"]
    nodes = [
        node(kind, source, result)
        for kind, source, result in zip(kinds, names[:-1], names[1:], strict=True)
    ]
    return make_model(nodes, {}, ["N", 3, 8, 8]).SerializeToString()


def _with_weight(value: float) -> bytes:
    model = binary_dense()
    tensor = model.graph.initializer[0]
    weights = onnx.numpy_helper.to_array(tensor).copy()
    weights.flat[5] = value
    tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
    return model.SerializeToString()


def _bits_at_the_end() -> bytes:
    weights = np.ones((4, 8), np.float32)
    nodes = [node("Gemm", "x w", "z", transB=1), node("Sign", "z", "y")]
    return make_model(nodes, {"w": weights}, ["N", 8]).SerializeToString()


_BAD: tuple[tuple[str, Callable[[], bytes], tuple[str, ...]], ...] = (
    ("empty", lambda: b"", ("bad.onnx: the file is empty",)),
    ("text", lambda: b"hello, this is no network " * 9, ("not an ONNX model.* text file",)),
    ("pickle", lambda: b"PK\x03\x04" + b"\0" * 99, ("PyTorch checkpoint", "torch.onnx.export")),
    ("noise", lambda: np.random.default_rng(1).bytes(3000), ("bad.onnx",)),
    ("half", lambda: binary_dense().SerializeToString()[:400], ("bad.onnx",)),
    ("cut", lambda: binary_dense().SerializeToString()[:-7], ("bad.onnx",)),
    ("symbolic", _symbolic, ("height", "batch")),
    ("unsupported", _unsupported, ("4 nodes", "Sin", "Erf", "LSTM", "Tan")),
    ("nan", lambda: _with_weight(np.nan), ("NaN or infinite", "w0: 1 of 144")),
    ("infinite", lambda: _with_weight(np.inf), ("NaN or infinite", "w0")),
    ("bits", _bits_at_the_end, ("must end in the scores",)),
)


@pytest.mark.parametrize("command", ["build", "inspect", "run", "validate"])
@pytest.mark.parametrize(("name", "contents", "patterns"), _BAD, ids=[row[0] for row in _BAD])
def test_model_is_refused(
    command: str,
    name: str,
    contents: Callable[[], bytes],
    patterns: tuple[str, ...],
    mcubnn: Command,
    tmp_path: Path,
) -> None:
    del name
    path = tmp_path / "bad.onnx"
    path.write_bytes(contents())
    mcubnn(command, path).assert_reported(3, *patterns)
    assert list(Path.cwd().iterdir()) == []


def test_missing_file_is_reported(mcubnn: Command) -> None:
    outcome = mcubnn("build", "nowhere.onnx")
    assert outcome.code in {2, 3}
    outcome.assert_reported(outcome.code, "nowhere.onnx")


def test_folder_as_model_is_reported(mcubnn: Command, tmp_path: Path) -> None:
    outcome = mcubnn("build", tmp_path)
    assert outcome.code in {2, 3}
    outcome.assert_reported(outcome.code, tmp_path.name)


def test_symbolic_batch_is_one(mcubnn: Command, model: Path) -> None:
    outcome = mcubnn("inspect", model)
    assert outcome.code == 0
    assert "uint8[3x3x2]" in outcome.out
