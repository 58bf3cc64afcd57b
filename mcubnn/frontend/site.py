"""What a rule sees of one node, and what it answers: the operators that replace the node."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mcubnn.frontend.layout import Choice, Value, fitted
from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawNode, Shape
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array

_SEQUENTIAL = "write the network without branches; residual networks are not supported yet"


@dataclass(frozen=True, eq=False)
class Step:
    """A node's translation.

    Attributes:
        source: the tensor that the first operator reads.
        ops: applied one after the other; none if the node only changes the model's view.
        view: carries the output's model shape and labels; its tensor and type are not used.
        choice: the two values of the output, for nodes that compare or select.
    """

    source: Value
    ops: tuple[Op, ...]
    view: Value
    choice: Choice | None = None


@dataclass(frozen=True, eq=False)
class Site:
    """A node with its operands.

    Attributes:
        node: the node.
        operands: per input: a computed value, a constant, or None if absent.
        shape: of the output in the model, if known.
    """

    node: RawNode
    operands: tuple[Value | Array | None, ...]
    shape: Shape | None

    def operand(self, index: int) -> Value | Array | None:
        """An operand; None if absent."""
        return self.operands[index] if index < len(self.operands) else None

    def data(self, index: int = 0) -> Value:
        """The operand that the network computes, which must be the only one.

        Raises:
            RuleError: it is constant, a condition, or one of several.
        """
        value = self.operand(index)
        if not isinstance(value, Value):
            raise RuleError(
                f"input {index} must be computed from the network's input", "a constant"
            )
        if sum(isinstance(operand, Value) for operand in self.operands) > 1:
            raise RuleError("the network must be sequential", "two computed inputs", _SEQUENTIAL)
        if value.choice is not None and value.choice.is_condition:
            raise RuleError("input must be a number", "the result of a comparison")
        return value

    def condition(self) -> tuple[Value, Choice]:
        """The first operand, which must be the result of a comparison with a constant."""
        value = self.operand(0)
        if not isinstance(value, Value) or value.choice is None or not value.choice.is_condition:
            raise RuleError(
                "its first input must be the comparison of a tensor with a constant",
                "something else",
            )
        return value, value.choice

    def data_and_constant(self) -> tuple[Value, Array, bool]:
        """Operands of a binary node: the value, the constant, and whether the value comes first."""
        first = isinstance(self.operand(0), Value)
        return self.data(0 if first else 1), self.weights(1 if first else 0), first

    def fitted(self, value: Value, constant: Array) -> tuple[Array, Value]:
        """See `layout.fitted`."""
        return fitted(value, constant)

    def optional(self, index: int) -> Array | None:
        """A constant operand as float32, infinities allowed; None if absent.

        Raises:
            RuleError: it is computed, or not a number.
        """
        operand = self.operand(index)
        if operand is None:
            return None
        if isinstance(operand, Value):
            raise RuleError(
                f"input {index} must be constant", f"{self.node.input(index)}, computed"
            )
        with np.errstate(over="ignore"):
            array = operand.astype(np.float32)
        if np.isnan(array).any():
            raise self._not_finite(index, array)
        return array

    def weights(self, index: int) -> Array:
        """A constant operand as finite float32 values.

        Raises:
            RuleError: absent, computed, or with values that are not finite.
        """
        array = self.optional(index)
        if array is None:
            raise RuleError(f"input {index} must be present", "none")
        if not np.isfinite(array).all():
            raise self._not_finite(index, array)
        return array

    def vector(self, index: int, length: int) -> Array:
        """Weights with one value per channel."""
        array = self.weights(index)
        if array.shape != (length,):
            raise RuleError(
                f"input {index} must have one value per channel, {length}",
                f"shape {list(array.shape)}",
            )
        return array

    def result_shape(self) -> Shape:
        """The output's shape in the model."""
        if self.shape is None:
            raise RuleError("its output must have a fixed shape", "one that cannot be inferred")
        return self.shape

    def keep(self, value: Value, *ops: Op) -> Step:
        """Operators that leave shape and layout as they are."""
        return Step(value, ops, value)

    def relabel(self, value: Value, shape: Shape, labels: tuple[str, ...], *ops: Op) -> Step:
        """Operators whose output has another shape or layout."""
        return Step(value, ops, replace(value, shape=shape, labels=labels))

    def _not_finite(self, index: int, array: Array) -> RuleError:
        count = int((~np.isfinite(array)).sum())
        return RuleError(
            "weights must be finite",
            f"{count} NaN or infinite values in {self.node.input(index)}",
            "train again, or find where the weights diverged",
        )
