"""A published network nobody here wrote: BNN-PYNQ's cnvW1A1 on CIFAR-10."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.board import load_board
from mcubnn.build.firmware import HOST_BOARD_ID
from mcubnn.ir.types import Array, DType
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.pipeline import CompileOptions, SavedModel, build_graph, compile_model
from mcubnn.run.session import make_runner, stream
from tests.e2e.command_line import Command

_SHARED = Path(__file__).resolve().parents[3] / "shared"
_MODEL = _SHARED / "models" / "cnv_w1a1_cifar10.onnx"
_EXPECTED = _SHARED / "models" / "cnv_w1a1_cifar10_expected.npz"
_DATA = _SHARED / "data" / "cifar10" / "test.npz"
_FLASH_BYTES = 260 * 1024
_RAM_BYTES = 40 * 1024

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not (_MODEL.is_file() and _DATA.is_file()),
        reason="needs the folder `shared` beside the repository, with models and data",
    ),
]


@pytest.fixture(scope="module")
def saved() -> SavedModel:
    return compile_model(_MODEL, CompileOptions(InputOptions(DType.INT8)))


@pytest.fixture(scope="module")
def images() -> Array:
    """The first test images as int8 [N, H, W, C], mapped as the models' README says."""
    with np.load(_DATA) as arrays:
        key = next(k for k in ("images", "x", "x_test", "data") if k in arrays.files)
        pixels = arrays[key][:100]
    pixels = pixels if pixels.shape[-1] == 3 else np.moveaxis(pixels, 1, -1)
    real = (2 * pixels.astype(np.float64) / 255 - 1) * 128
    return np.clip(np.floor(real + 0.5), -128, 127).astype(np.int8)


@pytest.fixture(scope="module")
def expected() -> Array:
    with np.load(_EXPECTED) as arrays:
        key = "scores" if "scores" in arrays.files else arrays.files[0]
        return arrays[key][:100].astype(np.int32)


def test_reference_gives_the_published_scores(
    saved: SavedModel, images: Array, expected: Array
) -> None:
    np.testing.assert_array_equal(evaluate_output(saved.graph, images[:20]), expected[:20])
    assert saved.graph.output_scale == 1.0


def test_host_gives_the_published_scores(
    saved: SavedModel, images: Array, expected: Array, tmp_path: Path
) -> None:
    built = build_graph(saved, HOST_BOARD_ID, tmp_path / "host")
    with make_runner(built.firmware, None) as runner:
        result = stream(runner, images, built.program.model_hash)
    np.testing.assert_array_equal(result.scores, expected)


@pytest.mark.target
def test_emulated_board_gives_the_published_scores(
    saved: SavedModel, images: Array, expected: Array, tmp_path: Path
) -> None:
    built = build_graph(saved, "qemu-mps2-an386", tmp_path / "qemu")
    with make_runner(built.firmware, load_board("qemu-mps2-an386")) as runner:
        result = stream(runner, images[:20], built.program.model_hash)
    np.testing.assert_array_equal(result.scores, expected[:20])


@pytest.mark.target
def test_build_for_the_nucleo_is_small_and_quick(mcubnn: Command) -> None:
    started = time.monotonic()
    outcome = mcubnn("build", _MODEL, "--input-type", "int8", "--board", "nucleo-f746", "--json")
    seconds = time.monotonic() - started
    assert outcome.code == 0, outcome.err
    figures = {f["name"]: f["value"] for f in json.loads(outcome.out)["figures"]}
    assert figures["total flash"] <= _FLASH_BYTES
    assert figures["total RAM with stack"] <= _RAM_BYTES
    assert seconds < 20
