"""A graph as text: the same graph gives the same text on every machine."""

from __future__ import annotations

import zlib
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np

from mcubnn.ir.graph import Graph
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array


def format_graph(graph: Graph) -> str:
    """One line for the graph, one per node, one per note.

    A node's line is `name = op(sources) attributes : type`; a large array is shown as its element
    type, shape and CRC-32.
    """
    lines = [f"graph {graph.name}({graph.input}: {graph.tensors[graph.input]}) -> {graph.output}"]
    if graph.output_scale != 1.0:
        lines[0] += f" * {graph.output_scale!r}"
    for node in graph.nodes:
        attributes = "".join(f" {text}" for text in _attributes(node.op))
        call = f"{node.op.name}({', '.join(node.sources)})"
        result = "" if node.result == node.name else f" {node.result}"
        lines.append(f"  {node.name} = {call}{attributes} ->{result} {graph.tensors[node.result]}")
    lines += [f"  note {note.node}: {note.text}" for note in graph.notes]
    return "\n".join(lines) + "\n"


def _attributes(op: Op) -> list[str]:
    return [f"{f.name}={_text(getattr(op, f.name))}" for f in fields(op)]


def _text(value: object) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, tuple | list):
        return f"({','.join(_text(item) for item in value)})"
    if is_dataclass(value):
        inner = ",".join(f"{f.name}={_text(getattr(value, f.name))}" for f in fields(value))
        return f"{type(value).__name__}({inner})"
    return repr(value)


def _array(array: Array) -> str:
    if array.ndim == 0:
        return repr(array.item())
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    shape = "x".join(str(size) for size in array.shape)
    return f"{array.dtype.name}[{shape}]#{zlib.crc32(little.tobytes()):08x}"
