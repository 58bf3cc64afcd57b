"""A model file as plain data: what `reader` makes of the bytes, before any meaning is given to it.

Nothing here or later touches protobuf, so the rest of the frontend works on validated values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from mcubnn.frontend.problems import RuleError
from mcubnn.ir.types import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Unreadable:
    """An attribute whose value mcubnn has no use for, such as a subgraph.

    Attributes:
        kind: what it is, for messages.
    """

    kind: str


Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Array | Unreadable

_A = TypeVar("_A", int, float, str)


@dataclass(frozen=True, eq=False)
class RawNode:
    """A node of the file; "" stands for an absent optional input or output.

    Attributes:
        op_type: operator, for example `Conv`.
        domain: "" for ONNX's own operators.
        name: unique in the graph.
        inputs, outputs: tensor names.
        attributes: by name.
    """

    op_type: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """The first output."""
        return self.outputs[0]

    def input(self, index: int) -> str:
        """Name of an input; "" if absent."""
        return self.inputs[index] if index < len(self.inputs) else ""

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        return self._scalar(name, default, int)

    def real(self, name: str, default: float) -> float:
        """A float attribute."""
        return self._scalar(name, default, float)

    def text(self, name: str, default: str) -> str:
        """A string attribute."""
        return self._scalar(name, default, str)

    def integers(self, name: str) -> Shape | None:
        """An attribute that lists integers; None if absent."""
        value = self.attributes.get(name)
        if value is None:
            return None
        if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
            raise RuleError(f"attribute {name} must list integers", repr(value))
        return tuple(int(v) for v in value)

    def _scalar(self, name: str, default: _A, kind: type[_A]) -> _A:
        value = self.attributes.get(name, default)
        if not isinstance(value, kind):
            raise RuleError(f"attribute {name} must be of type {kind.__name__}", repr(value))
        return value


@dataclass(frozen=True, eq=False)
class RawGraph:
    """A model with one input and one output; nodes in execution order, names resolved.

    Attributes:
        file: file name, for messages.
        opset: version of ONNX's operators.
        input: name of the input tensor.
        input_shape: with the batch axis, which is 1.
        output: name of the output tensor.
        nodes: every input of a node is "", the graph's input, a constant or an earlier output.
        constants: numeric or boolean arrays.
        shapes: of the tensors that are computed, as far as known.
        notes: node name and text of what was dropped.
    """

    file: str
    opset: int
    input: str
    input_shape: Shape
    output: str
    nodes: tuple[RawNode, ...]
    constants: Mapping[str, Array]
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
