"""Static shapes of the tensors of an ONNX graph, the batch being 1.

One function per group of operators, in a table. Used to turn Shape nodes into constants, to bound
the result of constant folding before it is computed, and to check rewrites.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawNode, Shape
from mcubnn.frontend.windows import window_of
from mcubnn.ir.op import TypeRuleError
from mcubnn.ir.types import Array

_MAX_INTEGERS = 64


@dataclass(frozen=True)
class Inputs:
    """What is known of a node's inputs: shapes, and values where constant."""

    node: RawNode
    shapes: Sequence[Shape | None]
    values: Sequence[Array | None]

    def shape(self, index: int) -> Shape:
        """Shape of a present input."""
        shape = self.shapes[index] if index < len(self.shapes) else None
        if shape is None:
            raise RuleError("its inputs must have known shapes", f"input {index} without one")
        return shape

    def value(self, index: int) -> Array | None:
        """Value of a constant input; None if absent or not constant."""
        return self.values[index] if index < len(self.values) else None

    def integers(self, index: int, attribute: str) -> Shape | None:
        """Integers that newer operator sets pass as an input, older ones as an attribute."""
        if not self.node.input(index):
            return self.node.integers(attribute)
        value = self.value(index)
        if value is None or value.dtype.kind not in "iu" or value.ndim > 1:
            raise RuleError(f"{attribute} must be constant integers", f"input {index}")
        if value.size > _MAX_INTEGERS:
            raise RuleError(f"{attribute} must list a few integers", f"{value.size}")
        return tuple(int(v) for v in value.reshape(-1))


def infer_shape(
    node: RawNode, shapes: Sequence[Shape | None], values: Sequence[Array | None]
) -> Shape | None:
    """Shape of a node's first output; None if it cannot be known.

    Args:
        node: the node.
        shapes: of its inputs; None if absent or unknown.
        values: of its constant inputs; None for others.
    """
    rule = None if node.domain else _RULES.get(node.op_type)
    if rule is None:
        return None
    try:
        shape = rule(Inputs(node, shapes, values))
    except (RuleError, TypeRuleError, ValueError, IndexError):
        return None
    return shape if all(d >= 0 for d in shape) else None


def axis_index(axis: int, rank: int) -> int:
    """A possibly negative axis as an index."""
    if not -rank <= axis < rank:
        raise RuleError(f"axis must be from {-rank} to {rank - 1}", str(axis))
    return axis % rank


def _same(known: Inputs) -> Shape:
    return known.shape(0)


def _broadcast(known: Inputs) -> Shape:
    shapes = [known.shape(i) for i, name in enumerate(known.node.inputs) if name]
    return np.broadcast_shapes(*shapes)


def _conv(known: Inputs) -> Shape:
    source, weights = known.shape(0), known.shape(1)
    window = window_of(known.node, weights[2:], source[2:])
    return (source[0], weights[0], *window.output_size(source[2], source[3]))


def _pool(known: Inputs) -> Shape:
    source = known.shape(0)
    window = window_of(known.node, known.node.integers("kernel_shape") or (), source[2:])
    return (*source[:2], *window.output_size(source[2], source[3]))


def _global_pool(known: Inputs) -> Shape:
    source = known.shape(0)
    return (*source[:2], *(1 for _ in source[2:]))


def _gemm(known: Inputs) -> Shape:
    left, right = known.shape(0), known.shape(1)
    rows = left[1] if known.node.integer("transA", 0) else left[0]
    return (rows, right[0] if known.node.integer("transB", 0) else right[1])


def _matmul(known: Inputs) -> Shape:
    left, right = known.shape(0), known.shape(1)
    if min(len(left), len(right)) < 2 or left[-1] != right[-2]:
        raise RuleError("MatMul needs matrices that fit", f"{left} and {right}")
    return (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])


def _flatten(known: Inputs) -> Shape:
    source, axis = known.shape(0), known.node.integer("axis", 1)
    axis = axis if axis == len(source) else axis_index(axis, len(source))
    return (math.prod(source[:axis]), math.prod(source[axis:]))


def _reshape(known: Inputs) -> Shape:
    source, target = known.shape(0), known.integers(1, "shape")
    if target is None:
        raise RuleError("Reshape needs a target shape", "none")
    if not known.node.integer("allowzero", 0):
        target = tuple(source[i] if d == 0 else d for i, d in enumerate(target))
    total = math.prod(source)
    if target.count(-1) == 1:
        rest = math.prod(d for d in target if d != -1)
        target = tuple(total // max(rest, 1) if d == -1 else d for d in target)
    if math.prod(target) != total or min(target, default=0) < 0:
        raise RuleError("Reshape must keep the number of elements", f"{source} to {target}")
    return target


def _transpose(known: Inputs) -> Shape:
    source = known.shape(0)
    order = known.node.integers("perm") or tuple(reversed(range(len(source))))
    if sorted(order) != list(range(len(source))):
        raise RuleError("perm must be a permutation of the axes", str(order))
    return tuple(source[i] for i in order)


def _squeeze(known: Inputs) -> Shape:
    source, axes = known.shape(0), known.integers(1, "axes")
    if axes is None:
        return tuple(d for d in source if d != 1)
    dropped = {axis_index(axis, len(source)) for axis in axes}
    if any(source[axis] != 1 for axis in dropped):
        raise RuleError("squeezed axes must have size 1", f"{source}, axes {axes}")
    return tuple(d for i, d in enumerate(source) if i not in dropped)


def _unsqueeze(known: Inputs) -> Shape:
    source, axes = known.shape(0), known.integers(1, "axes") or ()
    rank = len(source) + len(axes)
    added = {axis_index(axis, rank) for axis in axes}
    if len(added) != len(axes):
        raise RuleError("unsqueezed axes must differ", str(axes))
    rest = iter(source)
    return tuple(1 if i in added else next(rest) for i in range(rank))


def _concat(known: Inputs) -> Shape:
    shapes = [known.shape(i) for i in range(len(known.node.inputs))]
    axis = axis_index(known.node.integer("axis", 0), len(shapes[0]))
    total = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _shape_length(known: Inputs) -> Shape:
    rank = len(known.shape(0))
    return (len(range(rank)[known.node.integer("start", 0) : known.node.integer("end", rank)]),)


def _gather(known: Inputs) -> Shape:
    source, indices = known.shape(0), known.shape(1)
    axis = axis_index(known.node.integer("axis", 0), len(source))
    return (*source[:axis], *indices, *source[axis + 1 :])


def _slice(known: Inputs) -> Shape:
    shape = list(known.shape(0))
    starts, ends = known.integers(1, "starts") or (), known.integers(2, "ends") or ()
    axes = known.integers(3, "axes") or tuple(range(len(starts)))
    steps = known.integers(4, "steps") or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index = axis_index(axis, len(shape))
        shape[index] = len(range(*slice(start, end, step).indices(shape[index])))
    return tuple(shape)


def _expand(known: Inputs) -> Shape:
    return np.broadcast_shapes(known.shape(0), known.integers(1, "shape") or ())


def _tile(known: Inputs) -> Shape:
    repeats = known.integers(1, "repeats") or ()
    return tuple(d * r for d, r in zip(known.shape(0), repeats, strict=True))


def _filled(known: Inputs) -> Shape:
    return known.integers(0, "shape") or ()


def _range(known: Inputs) -> Shape:
    ends = [known.value(i) for i in range(3)]
    start, limit, step = (float(e.reshape(-1)[0]) if e is not None else math.nan for e in ends)
    count = math.ceil((limit - start) / step) if step else math.nan
    return (max(0, int(count)),)


def _reduce(known: Inputs) -> Shape:
    source, axes = known.shape(0), known.integers(1, "axes")
    keep = known.node.integer("keepdims", 1) != 0
    if not axes:
        if known.node.integer("noop_with_empty_axes", 0):
            return source
        axes = tuple(range(len(source)))
    gone = {axis_index(axis, len(source)) for axis in axes}
    return tuple(1 if i in gone else d for i, d in enumerate(source) if keep or i not in gone)


def _arg_max(known: Inputs) -> Shape:
    source = known.shape(0)
    axis = axis_index(known.node.integer("axis", 0), len(source))
    middle = (1,) if known.node.integer("keepdims", 1) else ()
    return (*source[:axis], *middle, *source[axis + 1 :])


def _pad(known: Inputs) -> Shape:
    source, pads = known.shape(0), known.integers(1, "pads") or ()
    axes = known.integers(3, "axes") or tuple(range(len(source)))
    if len(pads) != 2 * len(axes):
        raise RuleError("pads must have two values per axis", str(pads))
    shape = list(source)
    for i, axis in enumerate(axes):
        shape[axis_index(axis, len(source))] += pads[i] + pads[i + len(axes)]
    return tuple(shape)


_Rule = Callable[[Inputs], Shape]


def _table() -> dict[str, _Rule]:
    same = (
        "Abs Neg Sqrt Exp Log Tanh Sigmoid Round Floor Ceil Sign Cast Identity Not Reciprocal Clip "
        "Relu LeakyRelu Softmax LogSoftmax Erf Dropout BatchNormalization HardSigmoid Elu PRelu "
        "LayerNormalization Softplus HardSwish Gelu Softsign InstanceNormalization CumSum"
    )
    broadcast = (
        "Add Sub Mul Div Pow Min Max And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual "
        "Where Mod Sum Mean"
    )
    rules: dict[str, _Rule] = dict.fromkeys(same.split(), _same)
    rules |= dict.fromkeys(broadcast.split(), _broadcast)
    reductions = "Sum Mean Max Min Prod L1 L2 SumSquare LogSum LogSumExp"
    rules |= {f"Reduce{name}": _reduce for name in reductions.split()}
    return rules | {
        "Conv": _conv,
        "MaxPool": _pool,
        "AveragePool": _pool,
        "GlobalAveragePool": _global_pool,
        "GlobalMaxPool": _global_pool,
        "Gemm": _gemm,
        "MatMul": _matmul,
        "Flatten": _flatten,
        "Reshape": _reshape,
        "Transpose": _transpose,
        "Squeeze": _squeeze,
        "Unsqueeze": _unsqueeze,
        "Concat": _concat,
        "Shape": _shape_length,
        "Size": lambda _: (),
        "Gather": _gather,
        "Slice": _slice,
        "Expand": _expand,
        "Tile": _tile,
        "ConstantOfShape": _filled,
        "Range": _range,
        "ArgMax": _arg_max,
        "Pad": _pad,
    }


_RULES = _table()
