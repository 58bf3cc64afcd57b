"""Small hand-made ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, TensorProto, helper, numpy_helper

from mcubnn.errors import ModelError
from mcubnn.frontend.importer import import_model
from mcubnn.ir.graph import Graph
from mcubnn.ir.types import Array
from mcubnn.ops.evaluate import evaluate_output

Dims = Sequence[int | str | None]


def floats(*shape: int) -> Array:
    """Random numbers, the same for the same shape."""
    rng = np.random.default_rng(sum(shape))
    return np.asarray(rng.standard_normal(shape), dtype=np.float32)


def f32(*values: float) -> Array:
    """One value as a scalar, several as a vector."""
    return np.asarray(values[0] if len(values) == 1 else values, dtype=np.float32)


def ints(values: Sequence[int]) -> Array:
    """A vector of 64-bit integers."""
    return np.asarray(values, dtype=np.int64)


def node(op_type: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    """A node; inputs are separated by blanks, `_` is an absent one."""
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(op_type, names, output.split(), name=f"node_{output}", **attributes)


def make_model(
    nodes: Sequence[NodeProto],
    constants: Mapping[str, Array],
    shape: Dims,
    *,
    output: str = "y",
    opset: int = 17,
    output_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model with input `x` and one output."""
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, output_type, None)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def binary_dense() -> onnx.ModelProto:
    """Flatten, Gemm, Sign, Gemm on [N, 2, 3, 3]: valid."""
    rng = np.random.default_rng(7)
    return make_model(
        [
            node("Flatten", "x", "flat"),
            node("Gemm", "flat w0 b0", "z", transB=1),
            node("Sign", "z", "s"),
            node("Gemm", "s w1", "y", transB=1),
        ],
        {
            "w0": np.sign(rng.standard_normal((8, 18))).astype(np.float32),
            "b0": rng.standard_normal(8).astype(np.float32),
            "w1": np.sign(rng.standard_normal((4, 8))).astype(np.float32),
        },
        ["N", 2, 3, 3],
    )


def save(model: onnx.ModelProto, folder: Path, name: str = "model.onnx") -> Path:
    """Write a model."""
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def run_onnx(path: Path, inputs: Array) -> Array:
    """Output of onnxruntime, sample by sample."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"x": sample[None]})[0].reshape(-1) for sample in inputs])


def import_checked(
    model: onnx.ModelProto, folder: Path, *, channels_last: bool = False, tolerance: float = 1e-5
) -> Graph:
    """Import a model and compare it with onnxruntime on random inputs."""
    path = save(model, folder)
    graph = import_model(path)
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    inputs = np.random.default_rng(3).standard_normal((16, *dims)).astype(np.float32)
    images = inputs if channels_last or inputs.ndim != 4 else np.moveaxis(inputs, 1, -1)
    images = np.ascontiguousarray(images).reshape(len(inputs), *graph.tensors[graph.input].shape)
    result = evaluate_output(graph, images)
    if result.ndim == 4 and not channels_last:
        result = np.moveaxis(result, -1, 1)
    scores = result.reshape(len(inputs), -1)
    np.testing.assert_allclose(scores, run_onnx(path, inputs), rtol=tolerance, atol=tolerance)
    return graph


def rejection(model: onnx.ModelProto, folder: Path) -> str:
    """The message with which the importer refuses a model."""
    path = save(model, folder)
    try:
        import_model(path)
    except ModelError as error:
        return f"{error.message}\n{error.hint}"
    raise AssertionError("the model was accepted")


def ops(graph: Graph) -> list[str]:
    """Operators in order."""
    return [n.op.name for n in graph.nodes]
