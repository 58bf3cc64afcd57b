"""Executed instructions of whole networks: against portable kernels, and after calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcubnn import pipeline
from mcubnn.artifacts import DataSet, InputOptions
from mcubnn.example import builtin_example
from mcubnn.ir.types import Array
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.plan.goals import Goal
from mcubnn.plan.select import SelectionOptions
from mcubnn.report.profile import ProfileRow

BOARD = "qemu-mps2-an386"
ROOT = Path(__file__).resolve().parents[2]
FASHION = ROOT / "examples" / "fashion_cnn" / "fashion_cnn.onnx"
FASHION_INPUT = InputOptions(scale=1 / 255, mean=(0.5,), std=(0.5,))
FASHION_DATA = ROOT.parent / "shared" / "data" / "fashion-mnist" / "test.npz"

pytestmark = pytest.mark.target

Build = tuple[pipeline.SavedModel, SelectionOptions]


def _total(model: pipeline.SavedModel, images: Array, folder: Path, portable: bool) -> ProfileRow:
    forced = tuple((node.name, "portable") for node in model.graph.nodes) if portable else ()
    options = pipeline.BuildOptions(kernels=SelectionOptions(Goal.SPEED, forced))
    built = pipeline.build_graph(model, BOARD, folder, options)
    return pipeline.profile_build(built, DataSet(images, None, ""), None, lambda *_: None).total


def test_digits_need_a_quarter_of_the_portable_instructions(tmp_path: Path) -> None:
    example = builtin_example()
    model = pipeline.compile_model(example.model, pipeline.CompileOptions(example.input))
    with np.load(example.data) as data:
        images = data["images"][:20]
    fast = _total(model, images, tmp_path / "fast", portable=False)
    slow = _total(model, images, tmp_path / "slow", portable=True)
    assert 4 * fast.mean <= slow.mean


def test_fashion_needs_a_quarter_of_the_portable_instructions(tmp_path: Path) -> None:
    """Noise instead of the data set, which is not part of the project."""
    model = pipeline.compile_model(FASHION, pipeline.CompileOptions(FASHION_INPUT))
    images = np.random.default_rng(4).integers(0, 256, (4, 28, 28, 1)).astype(np.uint8)
    fast = _total(model, images, tmp_path / "fast", portable=False)
    slow = _total(model, images[:1], tmp_path / "slow", portable=True)
    assert 4 * fast.mean <= slow.mean


@pytest.mark.shared
def test_calibration_saves_instructions_on_fashion_and_changes_no_score(tmp_path: Path) -> None:
    if not FASHION_DATA.is_file():
        pytest.skip("the Fashion-MNIST test set is not there; it is not part of the project")
    with np.load(FASHION_DATA) as data:
        images = data["images"][:600, ..., np.newaxis]
    typical = tmp_path / "typical.npz"
    np.savez(typical, images=images[100:])
    plain = pipeline.compile_model(FASHION, pipeline.CompileOptions(FASHION_INPUT))
    stored = pipeline.compile_model(FASHION, pipeline.CompileOptions(FASHION_INPUT, typical))
    before = _total(plain, images[:100], tmp_path / "plain", portable=False)
    after = _total(stored, images[:100], tmp_path / "stored", portable=False)
    assert after.mean <= 0.95 * before.mean
    np.testing.assert_array_equal(_scores(stored, images), _scores(plain, images))


def _scores(model: pipeline.SavedModel, images: Array) -> Array:
    return evaluate_output(model.graph, images)
