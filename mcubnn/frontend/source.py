"""The model file as one piece, for keeping beside a build."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx.external_data_helper import uses_external_data

from mcubnn.frontend.tensors import TensorReader


def self_contained(path: Path) -> bytes:
    """The bytes of a model file that `import_model` accepted, external data moved inside."""
    data = path.read_bytes()
    model = onnx.load_model_from_string(data)
    external = [tensor for tensor in model.graph.initializer if uses_external_data(tensor)]
    reader = TensorReader(path)
    for tensor in external:
        tensor.raw_data = reader.read(tensor).tobytes()
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
    return bytes(model.SerializeToString()) if external else data
