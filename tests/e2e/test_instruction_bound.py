"""No image makes a network execute more instructions than the report's bound promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcubnn import pipeline
from mcubnn.artifacts import DataSet
from mcubnn.example import builtin_example
from mcubnn.ir.types import Array

_TIGHTNESS = 1.35
_RANDOM_IMAGES = 400

pytestmark = pytest.mark.target


def _images() -> Array:
    """The test set, noise of several densities, and the extremes of what a list can hold."""
    rng = np.random.default_rng(11)
    shape = (8, 8, 1)
    noise = rng.integers(0, 17, (_RANDOM_IMAGES, *shape))
    sparse = noise * (rng.random((_RANDOM_IMAGES, *shape)) < rng.random((_RANDOM_IMAGES, 1, 1, 1)))
    checkerboard = 16 * (np.indices((8, 8)).sum(axis=0) % 2)[None, ..., None]
    halves = np.repeat(np.array([0, 16]), 32).reshape(1, *shape)
    extremes = [np.zeros((1, *shape)), np.full((1, *shape), 255), checkerboard, 16 - checkerboard]
    with np.load(builtin_example().data) as data:
        real = data["images"]
    return np.concatenate([real, noise, sparse, *extremes, halves]).astype(np.uint8)


@pytest.mark.parametrize("board", ["qemu-mps2-an386", "qemu-microbit"])
def test_no_image_exceeds_the_bound_and_the_bound_is_tight(board: str, tmp_path: Path) -> None:
    example = builtin_example()
    model = pipeline.compile_model(example.model, pipeline.CompileOptions(example.input))
    built = pipeline.build_graph(model, board, tmp_path / "build")
    data = DataSet(_images(), None, "test")
    total = pipeline.profile_build(built, data, None, lambda *_: None).total
    assert total.bound is not None
    assert total.maximum <= total.bound
    assert total.bound <= _TIGHTNESS * total.maximum
