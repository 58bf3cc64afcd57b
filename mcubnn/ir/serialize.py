"""Graphs as two files: JSON for the structure, npz for the arrays. Nothing is ever executed."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from mcubnn.errors import InternalError, UsageError
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ir.verify import verify

FORMAT = 1

_DAMAGE = (
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, OSError),
    *(EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, InternalError),
)

Constructors = Mapping[str, Callable[..., Any]]
"""Classes that may appear in a file, by name: operators and their parts."""


def dump_graph(graph: Graph) -> tuple[str, bytes]:
    """The JSON text and the npz bytes of a graph."""
    arrays: dict[str, Array] = {}
    document = {
        "format": FORMAT,
        "name": graph.name,
        "input": graph.input,
        "output": graph.output,
        "output_scale": graph.output_scale,
        "tensors": {k: [list(t.shape), t.dtype.value] for k, t in graph.tensors.items()},
        "nodes": [
            {
                "name": node.name,
                "sources": list(node.sources),
                "result": node.result,
                "op": node.op.name,
                "fields": _encode_fields(node.op, arrays, f"{index}"),
            }
            for index, node in enumerate(graph.nodes)
        ],
        "densities": dict(graph.densities),
        "notes": [[note.node, note.text] for note in graph.notes],
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # keyword arrays, as documented
    return json.dumps(document, indent=1), buffer.getvalue()


def load_graph(text: str, arrays_npz: bytes, constructors: Constructors) -> Graph:
    """The inverse of `dump_graph`.

    Raises:
        UsageError: the files are damaged or of another format.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, expected {FORMAT}")
        with np.load(io.BytesIO(arrays_npz), allow_pickle=False) as arrays:
            nodes = tuple(_decode_node(n, arrays, constructors) for n in document["nodes"])
        graph = Graph(
            name=str(document["name"]),
            input=document["input"],
            output=document["output"],
            nodes=nodes,
            tensors={k: _decode_type(*kind) for k, kind in document["tensors"].items()},
            output_scale=float(document["output_scale"]),
            notes=tuple(Note(str(node), str(text)) for node, text in document["notes"]),
            densities={k: float(share) for k, share in document["densities"].items()},
        )
        verify(graph)
    except _DAMAGE as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"damaged graph file: {what}", "build the model again") from error
    return graph


def _encode_fields(part: object, arrays: dict[str, Array], key: str) -> dict[str, Any]:
    assert is_dataclass(part)
    return {f.name: _encode(getattr(part, f.name), arrays, f"{key}.{f.name}") for f in fields(part)}


def _encode(value: Any, arrays: dict[str, Array], key: str) -> Any:
    if isinstance(value, np.ndarray):
        arrays[key] = value
        return {"array": key}
    if is_dataclass(value):
        return {"part": type(value).__name__, "fields": _encode_fields(value, arrays, key)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(v, arrays, f"{key}.{i}") for i, v in enumerate(value)]}
    return value


def _decode_node(document: dict[str, Any], arrays: Any, constructors: Constructors) -> Node:
    decoded = _decode_fields(document["fields"], arrays, constructors)
    op = constructors[document["op"]](**decoded)
    if not isinstance(op, Op):
        raise TypeError(f"{document['op']} is no operator")
    return Node(str(document["name"]), op, tuple(document["sources"]), str(document["result"]))


def _decode_type(shape: list[int], dtype: str) -> TensorType:
    if not all(type(size) is int and size > 0 for size in shape):
        raise ValueError(f"shape {shape}")
    return TensorType(tuple(shape), DType(dtype))


def _decode_fields(document: dict[str, Any], arrays: Any, known: Constructors) -> dict[str, Any]:
    return {name: _decode(value, arrays, known) for name, value in document.items()}


def _decode(value: Any, arrays: Any, known: Constructors) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_decode(v, arrays, known) for v in value["tuple"])
    return known[value["part"]](**_decode_fields(value["fields"], arrays, known))
