"""Write a trained network as ONNX and check that the file computes what the network computes.

The check matters because the exporter rewrites graphs (it folds constants and merges BatchNorm
into Conv), and a silent difference would otherwise be searched for in the compiler.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from mcubnn.train.dataset import InputScaling, LabelledImages
from mcubnn.train.layers import deployable

_PROBES = 64
_SCORE_TOLERANCE = 1e-3
# A merged BatchNorm rounds differently, so an activation within rounding error of its threshold
# may legally flip and change the scores of that input. A wrong graph changes nearly every input.
_MIN_AGREEING_PROBES = 58


class ExportMismatchError(RuntimeError):
    """The exported file and the trained network disagree."""


def export_onnx(model: nn.Module, path: Path, input_shape: tuple[int, ...]) -> None:
    """Export `model` for inputs of `input_shape` ([1, C, H, W]) to one self-contained file.

    The graph has one input `input` and one output `scores`, both float32. Binary layers appear as
    Conv and Gemm with their binary weights as initializers, the signs of activations as
    GreaterOrEqual + Where. A BatchNorm right after a Conv or Gemm is merged into its weights.

    Raises:
        ExportMismatchError: onnxruntime gives other scores than `model` on random inputs.
    """
    plain = deployable(model)
    program = torch.onnx.export(
        plain,
        (torch.zeros(input_shape),),
        input_names=["input"],
        output_names=["scores"],
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # only the legacy exporter returns nothing
    exported = program.model_proto
    _remove_traces(exported)
    onnx.save(exported, path)
    _check_against_onnxruntime(plain, path, input_shape)


def _remove_traces(exported: onnx.ModelProto) -> None:
    """Drop the exporter's notes in place: stack traces hold paths of this machine.

    Without them the same network gives the same file everywhere.
    """
    graph = exported.graph
    noted = [exported, graph, *graph.node, *graph.value_info, *graph.initializer]
    for part in [*noted, *graph.input, *graph.output]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _session(path: Path) -> onnxruntime.InferenceSession:
    """Open `path` on the CPU with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _check_against_onnxruntime(plain: nn.Module, path: Path, input_shape: tuple[int, ...]) -> None:
    """Raise ExportMismatchError unless `path` gives the scores of `plain` on random inputs."""
    session = _session(path)
    generator = torch.Generator().manual_seed(0)
    agreeing = 0
    for _ in range(_PROBES):
        probe = torch.rand(input_shape, generator=generator) * 2.0 - 1.0
        with torch.no_grad():
            expected = plain(probe).numpy()
        (found,) = session.run(["scores"], {"input": probe.numpy()})
        agreeing += int(np.abs(found - expected).max() <= _SCORE_TOLERANCE)
    if agreeing < _MIN_AGREEING_PROBES:
        raise ExportMismatchError(
            f"{path}: onnxruntime agrees with the network on {agreeing} of {_PROBES} random "
            f"inputs, at least {_MIN_AGREEING_PROBES} expected"
        )


def evaluate_onnx(path: Path, data: LabelledImages, scaling: InputScaling) -> float:
    """Return the fraction of `data` that the exported file classifies correctly."""
    session = _session(path)
    inputs = scaling.apply(data.images).numpy()
    correct = 0
    for index, label in enumerate(data.labels.tolist()):
        (scores,) = session.run(["scores"], {"input": inputs[index : index + 1]})
        correct += int(scores.argmax() == label)
    return correct / len(data)
