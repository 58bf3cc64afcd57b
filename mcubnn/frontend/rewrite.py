"""Simplifies a raw graph without changing what it computes: one walk in execution order.

Removes what exporters leave around a network: nodes that do nothing, nodes computed twice, nodes
computed from constants or from shapes alone, and straight-through-estimator residue
`(A - B) + B`, which is A. What then no longer reaches the output is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from onnx import TensorProto

from mcubnn.frontend.fold import Folder, is_foldable
from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawGraph, RawNode, Shape, Unreadable
from mcubnn.frontend.shapes import infer_shape
from mcubnn.ir.types import Array

_BOOLEAN_NAMES = "Greater GreaterOrEqual Less LessOrEqual Equal Not And Or Xor IsNaN IsInf"
_INTEGER_NAMES = "ArgMax ArgMin Shape Size NonZero"
_NOT_FLOAT = frozenset(f"{_BOOLEAN_NAMES} {_INTEGER_NAMES}".split())
_SHAPE_KEEPERS = frozenset(("Reshape", "Flatten", "Expand", "Tile", "Squeeze", "Unsqueeze"))
_SHAPE_READERS = frozenset(("Shape", "Size"))
_NOT_REPEATABLE = ("Random", "Bernoulli", "Multinomial", "Dropout")
_SMALL_ELEMENTS = 64


@dataclass(frozen=True)
class Simplified:
    """The result of `simplify`.

    Attributes:
        graph: with live nodes only.
        failures: why a node of constants could not be evaluated, by node name.
        origins: the file's constants that the output depends on.
    """

    graph: RawGraph
    failures: Mapping[str, RuleError]
    origins: Mapping[str, Array]


def simplify(graph: RawGraph) -> Simplified:
    """Apply all rewrites."""
    walk = _Walk(live_part(graph))
    for node in walk.graph.nodes:
        walk.visit(node)
    return walk.finish()


def live_part(graph: RawGraph) -> RawGraph:
    """The graph with only the nodes and constants that the output depends on."""
    needed = {graph.output}
    nodes: list[RawNode] = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            nodes.append(node)
            needed.update(node.inputs)
    constants = {name: value for name, value in graph.constants.items() if name in needed}
    return replace(graph, nodes=tuple(reversed(nodes)), constants=constants)


class _Walk:
    """State of one walk. Names are resolved: `_alias` maps a removed tensor to what replaces it."""

    def __init__(self, graph: RawGraph) -> None:
        self.graph = graph
        self._read = {graph.output, *(name for node in graph.nodes for name in node.inputs)}
        self._alias: dict[str, str] = {}
        self._producers: dict[str, RawNode] = {}
        self._constants: dict[str, Array] = dict(graph.constants)
        self._shapes: dict[str, Shape] = {graph.input: graph.input_shape}
        self._seen: dict[object, str] = {}
        self._kept: list[RawNode] = []
        self._failures: dict[str, RuleError] = {}
        self._folder = Folder(graph.opset)
        for name, value in graph.constants.items():
            self._merge_constant(name, value)

    def visit(self, node: RawNode) -> None:
        """Keep, fold or replace one node."""
        node = replace(node, inputs=tuple(self._alias.get(name, name) for name in node.inputs))
        node = self._with_known_type(node)
        values = [self._constants.get(name) for name in node.inputs]
        shapes = [self._shape(name) for name in node.inputs]
        shape = infer_shape(node, shapes, values)
        single = not any(self._read.intersection(node.outputs[1:]))
        same = self._same_as(node, shape) if single else None
        if same is not None:
            self._alias[node.result] = same
            return
        for output in node.outputs:
            self._producers[output] = node
        key = _key(node)
        if single and key is not None:
            self._seen[key] = node.result
        if self._folded(node, values, shape):
            return
        if shape is not None:
            self._shapes[node.result] = shape
        self._kept.append(node)

    def _with_known_type(self, node: RawNode) -> RawNode:
        """CastLike as the Cast it is, where the type to cast to is float32."""
        if node.op_type != "CastLike" or node.domain or not self._is_float(node.input(1)):
            return node
        return replace(
            node, op_type="Cast", inputs=node.inputs[:1], attributes={"to": TensorProto.FLOAT}
        )

    def finish(self) -> Simplified:
        """The simplified graph."""
        output = self._alias.get(self.graph.output, self.graph.output)
        graph = live_part(
            replace(
                self.graph,
                output=output,
                nodes=tuple(self._kept),
                constants=self._constants,
                shapes=self._shapes,
            )
        )
        origins = self._origins([graph.output, *graph.constants])
        return Simplified(graph, self._failures, origins)

    def _shape(self, name: str) -> Shape | None:
        constant = self._constants.get(name)
        return constant.shape if constant is not None else self._shapes.get(name)

    def _merge_constant(self, name: str, value: Array) -> None:
        """Give equal small constants one name, so that nodes that differ in them only are equal."""
        if value.size > _SMALL_ELEMENTS:
            return
        key = ("constant", value.dtype.str, value.shape, value.tobytes())
        first = self._seen.setdefault(key, name)
        if first != name:
            self._alias[name] = first

    def _same_as(self, node: RawNode, shape: Shape | None) -> str | None:
        """The tensor a node's output equals, if there is one."""
        key = _key(node)
        repeated = self._seen.get(key) if key is not None else None
        if repeated is not None:
            return repeated
        if node.domain:
            return None
        source = self._passed_through(node, shape)
        if source is None and node.op_type in ("Add", "Sub"):
            source = self._estimator_residue(node)
        if source is None or (shape != self._shape(source) and node.op_type != "Identity"):
            return None
        return source

    def _passed_through(self, node: RawNode, shape: Shape | None) -> str | None:
        """The input that a node that computes nothing passes on; shapes are compared later."""
        match node.op_type:
            case "Mul" | "Div":
                return self._neutral(node, 1.0)
            case "Add" | "Sub":
                return self._neutral(node, 0.0)
            case "Identity":
                passes = True
            case "Dropout":
                passes = not self._is_training(node)
            case "Cast":
                to_float = node.attributes.get("to") == TensorProto.FLOAT
                passes = to_float and self._is_float(node.input(0))
            case "Slice":
                passes = shape is not None and self._steps_forward(node)
            case kind:
                passes = shape is not None and kind in _SHAPE_KEEPERS
        return node.input(0) or None if passes else None

    def _is_training(self, node: RawNode) -> bool:
        mode = self._constants.get(node.input(2))
        return bool(node.input(2)) and (mode is None or bool(mode.any()))

    def _is_float(self, name: str) -> bool:
        constant, producer = self._constants.get(name), self._producers.get(name)
        if constant is not None:
            return constant.dtype == np.float32
        if producer is None or producer.result != name:
            return producer is None
        if producer.op_type == "Cast":
            return producer.attributes.get("to") == TensorProto.FLOAT
        return producer.op_type not in _NOT_FLOAT

    def _steps_forward(self, node: RawNode) -> bool:
        """Whether a Slice that keeps the shape keeps the order."""
        steps = self._constants.get(node.input(4))
        return not node.input(4) or (steps is not None and bool((steps > 0).all()))

    def _neutral(self, node: RawNode, neutral: float) -> str | None:
        """The other operand of x * 1, 1 * x, x / 1, x + 0, 0 + x, x - 0."""
        positions = (1, 0) if node.op_type in ("Mul", "Add") else (1,)
        for position in positions:
            constant = self._constants.get(node.input(position))
            if constant is not None and constant.dtype.kind == "f" and (constant == neutral).all():
                return node.input(1 - position)
        return None

    def _estimator_residue(self, node: RawNode) -> str | None:
        """A, if the node is (A - B) + B, B + (A - B) or (A + B) - B.

        Exact where A and B are small integers, else within rounding: the exporter's leftover of
        `A.detach() - B.detach() + B`, which stands for A. A constant B behind an A that is none is
        no such leftover: adding and subtracting 1.5 * 2^23 rounds A to an integer.
        """
        inner_kind = "Sub" if node.op_type == "Add" else "Add"
        left, right = node.input(0), node.input(1)
        orders = ((left, right), (right, left)) if node.op_type == "Add" else ((left, right),)
        for inner_name, removed in orders:
            inner = self._producers.get(inner_name)
            if inner is None or inner.op_type != inner_kind or inner.domain:
                continue
            first, second = inner.input(0), inner.input(1)
            for kept, other in ((first, second), (second, first)):
                is_subtrahend = inner_kind == "Add" or kept == first
                steps_of_model = other in self._constants and kept not in self._constants
                if other == removed and is_subtrahend and not steps_of_model:
                    return kept
        return None

    def _folded(self, node: RawNode, values: list[Array | None], shape: Shape | None) -> bool:
        """Replace a node of constants by its value; False if it must stay."""
        if not is_foldable(node):
            return False
        operands = list(values)
        if node.op_type in _SHAPE_READERS and operands and operands[0] is None:
            known = self._shape(node.input(0))
            if known is None:
                return False
            operands[0] = np.broadcast_to(np.float32(0.0), known)
            if math.prod(known) == 0:
                return False
        if any(v is None and name for v, name in zip(operands, node.inputs, strict=True)):
            return False
        try:
            value = self._folder.evaluate(node, operands, shape)
        except RuleError as error:
            self._failures[node.name] = error
            return False
        self._constants[node.result] = value
        self._merge_constant(node.result, value)
        return True

    def _origins(self, names: Iterable[str]) -> dict[str, Array]:
        """Constants of the file that tensors depend on, through folded nodes too."""
        pending, reached = list(names), set(names)
        while pending:
            producer = self._producers.get(pending.pop())
            if producer is not None:
                fresh = set(producer.inputs) - reached
                reached |= fresh
                pending.extend(fresh)
        return {n: v for n, v in self.graph.constants.items() if n in reached}


def _key(node: RawNode) -> object | None:
    """Equal for nodes that compute the same; None if that cannot be told."""
    if node.domain or node.op_type.startswith(_NOT_REPEATABLE):
        return None
    attributes: list[object] = []
    for name, value in sorted(node.attributes.items(), key=lambda item: item[0]):
        if isinstance(value, Unreadable):
            return None
        if isinstance(value, np.ndarray):
            attributes.append((name, value.dtype.str, value.shape, value.tobytes()))
        else:
            attributes.append((name, type(value).__name__, repr(value)))
    return (node.op_type, node.inputs, tuple(attributes))
