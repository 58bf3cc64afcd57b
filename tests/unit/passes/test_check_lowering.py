"""The self-check of a build: no false alarm, and every injected defect found at its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mcubnn.artifacts import InputOptions
from mcubnn.errors import MismatchError
from mcubnn.ir.builder import with_nodes
from mcubnn.ir.graph import Graph
from mcubnn.ir.op import Op
from mcubnn.ir.types import DType
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Add, Clip, Mul
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Flatten, Pad
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes import check_lowering as checking
from mcubnn.passes.check_lowering import check_lowering
from mcubnn.passes.pipeline import lower
from tests.unit.passes.networks import (
    conv,
    dense,
    f32,
    network,
    norm,
    pixels,
    real_dense,
    rng,
    signs,
)

_OPTIONS = InputOptions(scale=1 / 255, mean=(0.49, 0.48, 0.45), std=(0.25, 0.125, 0.5))
_POOL = MaxPool(Window((2, 2), (2, 2)))
_ONE = (1, 1, 1, 1)


def _net() -> Graph:
    first = (conv((3, 16), pad=1), _POOL, norm(16, 9.0), Sign(1))
    second = (conv((16, 33), pad=1), norm(33, 9.0), Sign(1))
    return network((10, 10, 3), *first, *second, dense((5, 5, 33), 10, seed=3))


def _stages(graph: Graph) -> list[tuple[str, Graph]]:
    return list(lower(graph, _OPTIONS))


_PADDED = (norm(8, 9.0), Pad(_ONE, 0.0), Sign(0), conv((8, 16)), norm(16, 9.0), Sign(1))
_PER_CHANNEL_BORDER = (Pad(_ONE, 0.0), norm(8, 9.0), Sign(1), conv((8, 16)), norm(16, 9.0))
_TWICE = (norm(8, 9.0), Sign(1), Mul(f32(-0.5)), _POOL, Add(f32(0.1)), Sign(1), conv((8, 4), 1))
_SHIFT = Add(f32(rng().normal(size=200)))
_FLAT = (Flatten(channels_first=True), _SHIFT, Sign(1), dense((200,), 4))


@pytest.mark.parametrize(
    "ops",
    [
        (conv((3, 8)), *_PADDED, dense((5, 5, 16), 4)),
        (conv((3, 8)), *_PER_CHANNEL_BORDER, Sign(-1), dense((5, 5, 16), 4)),
        (
            conv((3, 8)),
            *_TWICE,
            norm(4, 9.0),
            Sign(1),
            Flatten(channels_first=False),
            dense((0,), 4),
        ),
        (conv((3, 8)), *_FLAT),
        (_POOL, conv((3, 8), 1), Clip(-1, 1), Sign(1), dense((3, 3, 8), 4)),
        (Add(f32(-0.5)), Sign(1), dense((7, 7, 3), 4)),
        (dense((7, 7, 3), 40), norm(40, 30.0), Sign(-1), dense((40,), 10), norm(10, 3.0)),
    ],
    ids=["padded sign", "border", "two signs", "flat", "pooled pixels", "signs of pixels", "dense"],
)
def test_correct_lowering_passes_without_a_note(ops: Sequence[Op]) -> None:
    fitted: list[Op] = []
    for op in ops:
        if isinstance(op, Dense) and op.weights.shape[1] == 0:
            graph = network((7, 7, 3), *fitted)
            op = dense(graph.tensors[graph.output].shape, 4)
        fitted.append(op)
    graph = network((7, 7, 3), *fitted)
    assert check_lowering(graph, _stages(graph), _OPTIONS) == ()


@pytest.mark.parametrize("mean", [0.5, 3.0, 1e4])
def test_rounding_at_a_tie_is_no_mismatch(mean: float) -> None:
    """beta = mean * a up to rounding: a sum of 0 is on the edge for every channel."""
    scale = f32(rng().uniform(0.1, 3, 16))
    tie = BatchNorm(scale, f32(mean) * scale, f32(np.full(16, mean)), f32(np.ones(16)), 0.0)
    ops = (Add(f32(-100.0)), Sign(1), conv((3, 16), 2), tie, Sign(1), dense((6, 6, 16), 4))
    graph = network((7, 7, 3), *ops)
    options = InputOptions()
    assert check_lowering(graph, lower(graph, options), options) == ()


def _with_op(graph: Graph, name: str, change: Callable[[SummingOp], SummingOp]) -> Graph:
    nodes = [
        replace(n, op=change(n.op)) if n.name == name and isinstance(n.op, SummingOp) else n
        for n in graph.nodes
    ]
    return with_nodes(graph, nodes)


def _threshold_later(op: SummingOp) -> SummingOp:
    assert isinstance(op.stage, ThresholdStage)
    shifted = np.clip(op.stage.thresholds.astype(np.int64) + 2, -(2**31), 2**31 - 1)
    return op.with_stage(replace(op.stage, thresholds=shifted.astype(np.int32)))


def _flip_one(op: SummingOp) -> SummingOp:
    assert isinstance(op.stage, ThresholdStage)
    return op.with_stage(
        replace(op.stage, flip=op.stage.flip ^ (np.arange(op.stage.channels) == 7))
    )


def _negate_a_weight(op: SummingOp) -> SummingOp:
    weights = op.weights.copy()
    weights[..., 0] *= -1
    return replace(op, weights=weights)  # type: ignore[call-arg]  # subclass's field


def _pad_with_ones(op: SummingOp) -> SummingOp:
    return replace(op, pad_value=1)  # type: ignore[call-arg]  # subclass's field


def _add_one(op: SummingOp) -> SummingOp:
    return op.with_stage(replace(op.stage, bias=op.stage.bias + 1))  # type: ignore[call-arg, attr-defined]  # a score stage


@pytest.mark.parametrize(
    ("layer", "change", "where"),
    [
        ("conv2d_4", _threshold_later, "node sign_6"),
        ("conv2d_4", _flip_one, r"node sign_6 .* index \[0, 0, 7\]"),
        ("conv2d_4", _negate_a_weight, "node sign_6"),
        ("conv2d_4", _pad_with_ones, "node sign_6"),
        ("conv2d_0", _negate_a_weight, "node sign_3"),
        ("dense_7", _add_one, r"node dense_7 .* tensor dense_7"),
        ("dense_7", _negate_a_weight, "node dense_7"),
    ],
    ids=["threshold", "flip", "weight", "padding", "first layer", "bias", "last weight"],
)
def test_defect_of_a_layer_is_found_at_its_node(
    layer: str, change: Callable[[SummingOp], SummingOp], where: str
) -> None:
    graph = _net()
    stages = _stages(graph)
    broken = [name for name, _ in stages].index("fuse_output_stage")
    faulty = [
        (name, _with_op(stage, layer, change) if i >= broken else stage)
        for i, (name, stage) in enumerate(stages)
    ]
    with pytest.raises(MismatchError, match=where) as caught:
        check_lowering(graph, faulty, _OPTIONS)
    assert caught.value.exit_code == 7
    assert "please report" in caught.value.hint


@pytest.mark.parametrize("last", [False, True])
def test_defect_behind_the_lowering_names_the_pass(last: bool) -> None:
    graph = _net()
    stages = _stages(graph)
    broken = len(stages) - 1 if last else [n for n, _ in stages].index("fuse_output_stage") + 1
    faulty = [
        (name, _with_op(stage, "conv2d_4", _negate_a_weight) if i >= broken else stage)
        for i, (name, stage) in enumerate(stages)
    ]
    with pytest.raises(MismatchError, match=f"pass {stages[broken][0]} changes the scores"):
        check_lowering(graph, faulty, _OPTIONS)


def test_scale_of_the_scores_is_compared() -> None:
    graph = network((7, 7, 3), conv((3, 8)), Sign(1), dense((5, 5, 8), 4), Mul(f32(0.25)))
    stages = [(name, replace(stage, output_scale=1.0)) for name, stage in _stages(graph)]
    with pytest.raises(MismatchError, match="node mul_3"):
        check_lowering(graph, stages, _OPTIONS)


def test_int8_layers_are_counted_not_compared() -> None:
    """What is binary before an int8 layer is still compared."""
    ops = (conv((3, 8)), norm(8, 9.0), Sign(1), real_dense((5, 5, 8), 4))
    graph = network((7, 7, 3), *ops)
    (note,) = check_lowering(graph, _stages(graph), _OPTIONS)
    assert note.node == "self-check"
    assert "of 16 random images" in note.text
    images = pixels(graph, 5)
    (note,) = check_lowering(graph, lower(graph, _OPTIONS, images), _OPTIONS, images)
    assert note.text.startswith("5 of 5 images keep their class")
    faulty = [(n, _with_op(g, "conv2d_0", _negate_a_weight)) for n, g in _stages(graph)]
    with pytest.raises(MismatchError, match="node sign_2"):
        check_lowering(graph, faulty, _OPTIONS)


def test_border_behind_an_int8_layer_is_known() -> None:
    real = Conv2d(f32(rng().normal(size=(8, 3, 3, 3))), None, Window((3, 3)))
    padded = (real, Pad(_ONE, 0.0), Sign(1), conv((8, 8)), Clip(-2, 2), Sign(-1))
    graph = network((7, 7, 3), *padded, dense((5, 5, 8), 4))
    assert check_lowering(graph, _stages(graph), _OPTIONS) == ()


def test_layers_behind_int8_activations_are_compared_again_from_the_next_sign_on() -> None:
    quantized = (conv((3, 8)), norm(8, 9.0), Clip(0, 4), conv((8, 8)), norm(8, 9.0), Sign(1))
    graph = network((9, 9, 3), *quantized, conv((8, 16)), norm(16, 9.0), Sign(1))
    graph = network((9, 9, 3), *(n.op for n in graph.nodes), dense((3, 3, 16), 4))
    assert check_lowering(graph, _stages(graph), _OPTIONS) == ()
    faulty = [(n, _with_op(g, "conv2d_6", _negate_a_weight)) for n, g in _stages(graph)]
    with pytest.raises(MismatchError, match="node sign_8"):
        check_lowering(graph, faulty, _OPTIONS)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = _net()
    monkeypatch.setattr(checking, "_WORK", 1000)
    (note,) = check_lowering(graph, _stages(graph), _OPTIONS)
    assert note.text.startswith("not done")
    large = Conv2d(signs(64, 3, 3, 64), None, Window((3, 3)))
    monkeypatch.undo()
    assert checking._image_count(network((500, 500, 64), large)) == 0  # 9 GMAC
    assert checking._image_count(network((40, 40, 64), large)) == 9
    assert checking._image_count(graph) == checking.MOST_IMAGES


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.INT8])
@pytest.mark.parametrize("count", [1, 2, 16])
def test_images_are_the_same_on_every_call_and_reach_the_extremes(count: int, dtype: DType) -> None:
    kind = _net().tensors["x"].with_dtype(dtype)
    images = checking._images(kind, count)
    assert images.shape == (count, 10, 10, 3)
    np.testing.assert_array_equal(images, checking._images(kind, count))
    limits = np.iinfo(images.dtype)
    assert np.ptp(images[0].astype(int)) > 200
    assert (images[1:2] == limits.min).all()
    assert (images[2:3] == limits.max).all()
