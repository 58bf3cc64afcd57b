"""Walks a simplified raw graph and lets the rules emit the operators of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np

from mcubnn.errors import ModelError
from mcubnn.frontend.layout import CHANNELS_FIRST, Choice, Value, value_of
from mcubnn.frontend.problems import Problem, RuleError, model_error, printable
from mcubnn.frontend.raw import RawGraph, RawNode
from mcubnn.frontend.rules import RULES, UNSUPPORTED_HINTS
from mcubnn.frontend.site import Site, Step
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.op import Op, TypeRuleError
from mcubnn.ir.types import TensorType
from mcubnn.ops.defs.elementwise import Elementwise

_MAX_ELEMENTS = 1 << 26


def translate(raw: RawGraph, name: str, source: Value, failures: Mapping[str, RuleError]) -> Graph:
    """The graph of a raw graph.

    Args:
        raw: simplified, live nodes only.
        name: of the graph.
        source: the input with its axes labelled.
        failures: why nodes of constants could not be evaluated, by node name.

    Raises:
        ModelError: nodes that cannot be compiled, all of them.
    """
    return _Translation(raw, source, failures).run(name)


class _Translation:
    def __init__(self, raw: RawGraph, source: Value, failures: Mapping[str, RuleError]) -> None:
        self._raw = raw
        self._failures = failures
        self._source = source
        self._read = {raw.output, *(name for node in raw.nodes for name in node.inputs)}
        self._values: dict[str, Value] = {raw.input: source}
        self._nodes: list[Node] = []
        self._tensors: dict[str, TensorType] = {source.tensor: source.type}
        self._names: set[str] = set()
        self._problems: list[Problem] = []

    def run(self, name: str) -> Graph:
        """Translate all nodes."""
        for node in self._raw.nodes:
            self._visit(node)
        if self._problems:
            raise model_error(self._raw.file, self._problems)
        output = self._output()
        notes = tuple(Note(node, text) for node, text in self._raw.notes)
        return Graph(
            name,
            self._source.tensor,
            output.tensor,
            tuple(self._nodes),
            self._tensors,
            notes=notes,
        )

    def _output(self) -> Value:
        output = self._values[self._raw.output]
        if output.choice is not None and output.choice.is_condition:
            raise ModelError(
                f"{self._raw.file}: the output {printable(self._raw.output)} is a comparison",
                "export the network so that it ends with the class scores",
            )
        output = self._with_values(output, "output")
        if not self._nodes:
            raise ModelError(f"{self._raw.file}: the network has no layers", "export it again")
        return output

    def _visit(self, node: RawNode) -> None:
        unknown = any(self._is_unknown(name) for name in node.inputs)
        try:
            if unknown:
                self._rule(node)
                return
            with np.errstate(all="ignore"):  # what overflows is found in `_emit`
                self._values[node.result] = self._apply(node, self._step(node))
        except (RuleError, TypeRuleError) as error:
            self._report(node, error)
            self._assume(node)

    def _is_unknown(self, name: str) -> bool:
        return bool(name) and name not in self._values and name not in self._raw.constants

    def _rule(self, node: RawNode) -> object:
        if node.name in self._failures:
            raise self._failures[node.name]
        rule = None if node.domain else RULES.get(node.op_type)
        if rule is None:
            origin = f" of domain {node.domain}" if node.domain else ""
            raise RuleError(
                "the operator must be one that mcubnn supports",
                f"{node.op_type}{origin}",
                UNSUPPORTED_HINTS.get(node.op_type, ""),
            )
        return rule

    def _step(self, node: RawNode) -> Step:
        self._rule(node)
        if self._read.intersection(node.outputs[1:]):
            raise RuleError("only its first output may be used", f"{len(node.outputs)} outputs")
        operands = tuple(
            self._values.get(name, self._raw.constants.get(name)) for name in node.inputs
        )
        return RULES[node.op_type](Site(node, operands, self._raw.shapes.get(node.result)))

    def _apply(self, node: RawNode, step: Step) -> Value:
        """Emit a step's operators; on a choice, elementwise ones only change its two values."""
        source, choice = step.source, step.choice
        if choice is None and source.choice is not None:
            mapped = _mapped(source.choice, step.ops)
            if mapped is not None:
                return replace(
                    source, shape=step.view.shape, labels=step.view.labels, choice=mapped
                )
        if step.ops and source.choice is not None:
            source = self._with_values(source, node.name)
        tensor = self._emit(source.tensor, step.ops, node.name, node.result)
        return replace(step.view, tensor=tensor, type=self._tensors[tensor], choice=choice)

    def _with_values(self, value: Value, name: str) -> Value:
        """The value with its choice computed, for operators that read numbers."""
        if value.choice is None:
            return value
        tensor = self._emit(value.tensor, value.choice.steps(), f"{name}/values", f"{name}/values")
        return replace(value, tensor=tensor, type=self._tensors[tensor], choice=None)

    def _emit(self, tensor: str, ops: tuple[Op, ...], name: str, result: str) -> str:
        """Append nodes; the last one gets the names of the model's node and tensor."""
        for index, op in enumerate(ops):
            last = index == len(ops) - 1
            _check_finite(op)
            output = op.infer([self._tensors[tensor]])
            if output.elements > _MAX_ELEMENTS:
                raise RuleError(f"tensors must have at most {_MAX_ELEMENTS} elements", str(output))
            node_name = self._unique(name if last else f"{name}/{op.name}", self._names)
            target = self._unique(result if last else node_name, self._tensors)
            self._names.add(node_name)
            self._tensors[target] = output
            self._nodes.append(Node(node_name, op, (tensor,), target))
            tensor = target
        return tensor

    @staticmethod
    def _unique(name: str, taken: set[str] | dict[str, TensorType]) -> str:
        candidate, count = name, 2
        while candidate in taken:
            candidate, count = f"{name}_{count}", count + 1
        return candidate

    def _report(self, node: RawNode, error: RuleError | TypeRuleError) -> None:
        rule, found, hint = str(error), "", ""
        if isinstance(error, RuleError):
            rule, found, hint = error.rule, error.found, error.hint
        self._problems.append(Problem(node.name, node.op_type, rule, found, hint))

    def _assume(self, node: RawNode) -> None:
        """Give a node that failed a plausible output, so that what follows is checked too."""
        shape = self._raw.shapes.get(node.result)
        for name in node.inputs:
            value = self._values.get(name)
            if value is not None and value.shape == shape:
                self._values[node.result] = replace(value, choice=None)
                return
        if shape is not None and len(shape) in (2, 4) and shape[0] == 1 and 0 not in shape:
            labels = CHANNELS_FIRST if len(shape) == 4 else ("", "c")
            value = value_of(node.result, shape, labels)
            self._values[node.result] = value
            self._tensors.setdefault(node.result, value.type)


def _check_finite(op: Op) -> None:
    """Constants of the file are finite; products of them may not be."""
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            count = int((~np.isfinite(value)).sum())
            raise RuleError("constants must be finite", f"{count} NaN or infinite in {field.name}")


def _mapped(choice: Choice, ops: tuple[Op, ...]) -> Choice | None:
    """A choice after operators, if all are elementwise."""
    for op in ops:
        if not isinstance(op, Elementwise):
            return None
        choice = choice.map(op)
    return choice
