"""What a graph needs to know of an operator: its name, its types and its meaning.

An operator is a frozen dataclass; its fields are its attributes (weights included), its methods its
meaning. One file each in `mcubnn/ops/defs/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mcubnn.ir.types import Array, TensorType


class TypeRuleError(Exception):
    """An operator was given types that its rule forbids; the verifier adds the node's name."""


@dataclass(frozen=True, eq=False)
class Op(ABC):
    """An operator with its attributes: any number of input tensors, one output tensor."""

    name: ClassVar[str]

    @abstractmethod
    def infer(self, sources: Sequence[TensorType]) -> TensorType:
        """Type of the output.

        Raises:
            TypeRuleError: an input type breaks the operator's rule.
        """

    @abstractmethod
    def evaluate(self, sources: Sequence[Array]) -> Array:
        """Numpy meaning on batches `[N, *shape]`, unpacked and unoptimised."""

    def macs(self, sources: Sequence[TensorType]) -> int:
        """Multiply-accumulates of one sample."""
        del sources
        return 0


def require(condition: bool, rule: str, inputs: Sequence[object] = ()) -> None:
    """Raise TypeRuleError with the rule and what was found unless the condition holds."""
    if not condition:
        raise TypeRuleError(
            f"{rule}; found {', '.join(str(i) for i in inputs)}" if inputs else rule
        )
