"""A graph: nodes in execution order over named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mcubnn.ir.op import Op
from mcubnn.ir.types import TensorType


@dataclass(frozen=True)
class Node:
    """One operator applied to its input tensors.

    Attributes:
        name: unique in the graph; that of the model file's node where it came from one.
        op: the operator with its attributes.
        sources: names of the tensors it reads.
        result: name of the tensor it writes.
    """

    name: str
    op: Op
    sources: tuple[str, ...]
    result: str


@dataclass(frozen=True)
class Note:
    """Something the user should know about the translation (for example sign(0))."""

    node: str
    text: str


@dataclass(frozen=True)
class Graph:
    """A model with one input and one output tensor, nodes in execution order.

    Attributes:
        name: sanitised model name.
        input: name of the input tensor.
        output: name of the output tensor.
        nodes: in execution order; every tensor is written once.
        tensors: the type of every tensor, the input's included.
        output_scale: real value of one unit of the integer scores.
        notes: what the passes found worth telling.
        densities: share of set bits by binary tensor where calibration measured it.
    """

    name: str
    input: str
    output: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, TensorType]
    output_scale: float = 1.0
    notes: tuple[Note, ...] = field(default=())
    densities: Mapping[str, float] = field(default_factory=dict)

    def consumers(self, tensor: str) -> tuple[Node, ...]:
        """The nodes that read a tensor, in execution order."""
        return tuple(node for node in self.nodes if tensor in node.sources)

    def producer(self, tensor: str) -> Node | None:
        """The node that writes a tensor; None for the graph's input."""
        return next((node for node in self.nodes if node.result == tensor), None)

    def with_notes(self, *notes: Note) -> Graph:
        """The same graph with further notes."""
        return replace(self, notes=(*self.notes, *notes))
