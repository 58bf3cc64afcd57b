"""Evaluates nodes whose inputs are all constants, such as the weight chains exporters leave.

torch folds only small weights, so real layers arrive as tensor -> Sub, Div, Sign, Mul -> Conv. The
size of every result is known before it is computed: a file of a few bytes can ask for an Expand to
any size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawNode, Shape, Unreadable
from mcubnn.frontend.tensors import MAX_CONSTANT_BYTES, is_numeric_type
from mcubnn.ir.types import Array

_MAX_ELEMENTS = 1 << 25
_MAX_MULTIPLICATIONS = 1 << 32
_ELEMENT_BYTES = 8

_FOLDABLE_NAMES = (
    "Abs Add And ArgMax Cast Ceil Clip Concat ConstantOfShape Div Equal Erf Exp Expand Flatten "
    "Floor Gather Gemm Greater GreaterOrEqual Identity Less LessOrEqual Log MatMul Max Mean Min "
    "Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp "
    "ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Shape "
    "Sigmoid Sign Size Slice Softmax Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze Where "
    "Xor"
)
_FOLDABLE = frozenset(_FOLDABLE_NAMES.split())


def is_foldable(node: RawNode) -> bool:
    """Whether the node's operator can be evaluated at compile time."""
    return not node.domain and node.op_type in _FOLDABLE and len(node.outputs) == 1


class Folder:
    """Evaluates nodes, keeping count of the bytes produced.

    Args:
        opset: version of ONNX's operators.
    """

    def __init__(self, opset: int) -> None:
        self._opset = opset
        self._produced_bytes = 0

    def evaluate(self, node: RawNode, values: Sequence[Array | None], shape: Shape | None) -> Array:
        """The value of a node's only output.

        Args:
            node: a foldable node.
            values: of its inputs; None where absent.
            shape: of its output, as inferred.

        Raises:
            RuleError: the result would be too large, or the node is invalid.
        """
        if shape is None:
            raise RuleError("a constant must have a valid shape", "inputs that do not fit together")
        self._reserve(node, values, shape)
        try:
            with np.errstate(all="ignore"):
                result = _run(node, values, self._opset)
        except Exception as error:  # the evaluator raises anything on invalid nodes
            raise RuleError("a constant must be computable", f"{type(error).__name__}") from error
        if result.shape != shape or result.dtype.kind not in "fiub":
            raise RuleError("a constant must be numeric", f"{result.dtype} {result.shape}")
        return result

    def _reserve(self, node: RawNode, values: Sequence[Array | None], shape: Shape) -> None:
        elements = math.prod(shape)
        self._produced_bytes += elements * _ELEMENT_BYTES
        inner = 1
        if node.op_type in ("MatMul", "Gemm") and values[0] is not None:
            inner = max(values[0].shape, default=1)
        too_large = elements > _MAX_ELEMENTS or elements * inner > _MAX_MULTIPLICATIONS
        if too_large or self._produced_bytes > 2 * MAX_CONSTANT_BYTES:
            raise RuleError(
                "constants computed in the model must have a bounded size", f"a result of {shape}"
            )


def _run(node: RawNode, values: Sequence[Array | None], opset: int) -> Array:
    target = node.attributes.get("to")
    if node.op_type == "Cast" and not (isinstance(target, int) and is_numeric_type(target)):
        raise ValueError(target)
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(values)]
    while names and not names[-1]:
        names.pop()
    proto = helper.make_node(node.op_type, names, ["y"])
    proto.attribute.extend(_attribute(name, value) for name, value in node.attributes.items())
    function = helper.make_function(
        "mcubnn", "fold", [n for n in names if n], ["y"], [proto], [helper.make_opsetid("", opset)]
    )
    feeds = {name: np.asarray(value) for name, value in zip(names, values, strict=False) if name}
    (result,) = ReferenceEvaluator(function).run(None, feeds, attributes={})
    return np.asarray(result)


def _attribute(name: str, value: object) -> object:
    if isinstance(value, Unreadable):
        raise TypeError(value.kind)
    if isinstance(value, np.ndarray):
        return helper.make_attribute(name, numpy_helper.from_array(value, name))
    return helper.make_attribute(name, value)
