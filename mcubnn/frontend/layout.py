"""Which axis of the model's tensor is which axis of ours.

The model may hold a feature map as [1, C, H, W], as [1, H, W, C] or without some unit axes; the
graph always holds (H, W, C). Every axis longer than 1 carries a label, "h", "w" or "c"; a vector's
axis is "c". A Transpose only moves labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import Shape
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.defs.elementwise import Add, Elementwise, Mul

Labels = tuple[str, ...]
CHANNELS_FIRST: Labels = ("", "c", "h", "w")
CHANNELS_LAST: Labels = ("", "h", "w", "c")


@dataclass(frozen=True, eq=False)
class Choice:
    """The two values of a tensor that holds one where its bit is +1, the other where it is -1.

    Comparisons give True and False; casts, Where and arithmetic with constants change only these
    values. Arrays broadcast against the graph's shape.
    """

    positive: Array
    negative: Array

    @property
    def is_condition(self) -> bool:
        """Whether the values are booleans."""
        return self.positive.dtype == np.bool_

    def map(self, op: Elementwise) -> Choice:
        """The values after an elementwise operator."""
        return Choice(op.apply(self.positive), op.apply(self.negative))

    def steps(self) -> tuple[Elementwise, ...]:
        """What turns the bits -1 and +1 into the values."""
        positive, negative = self.positive.astype(np.float64), self.negative.astype(np.float64)
        scale = np.asarray((positive - negative) / 2, dtype=np.float32)
        offset = np.asarray((positive + negative) / 2, dtype=np.float32)
        steps: list[Elementwise] = []
        if (scale != 1).any():
            steps.append(Mul(scale))
        if offset.any():
            steps.append(Add(offset))
        return tuple(steps)


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor that depends on the input.

    Attributes:
        tensor: its name in the graph.
        type: its type in the graph.
        shape: in the model, with the batch of 1.
        labels: per axis of `shape`; "" for axes of size 1.
        choice: set if the tensor stands for two values and the graph's tensor for their bits.
    """

    tensor: str
    type: TensorType
    shape: Shape
    labels: Labels
    choice: Choice | None = None

    @property
    def is_map(self) -> bool:
        """Whether the graph's tensor is (H, W, C), not a vector."""
        return len(self.type.shape) == 3

    def size(self, label: str) -> int:
        """Length of the axis in the graph."""
        axes = "hwc" if self.is_map else "c"
        return self.type.shape[axes.index(label)] if label in axes else 1

    def has_axis(self, position: int, label: str) -> bool:
        """Whether an axis of the model's tensor is the named one."""
        if position >= len(self.shape):
            return False
        if self.labels[position]:
            return self.labels[position] == label
        return self.size(label) == 1

    @property
    def is_channels_first(self) -> bool:
        """Whether the model's tensor is a map [1, C, H, W]."""
        if not self.is_map or len(self.shape) != 4:
            return False
        return all(self.has_axis(i, label) for i, label in enumerate(CHANNELS_FIRST) if label)

    def named(self) -> Labels:
        """The labels of the axes longer than 1, in the model's order."""
        return tuple(label for label in self.labels if label)


def value_of(tensor: str, shape: Shape, labels: Labels) -> Value:
    """A float tensor of a model shape.

    Args:
        tensor: its name.
        shape: in the model, with the batch of 1.
        labels: of all axes; "" for the batch. Missing ones of a map have size 1.
    """
    sizes = {label: size for label, size in zip(labels, shape, strict=True) if label}
    axes = "c" if sizes.keys() == {"c"} else "hwc"
    graph_shape = tuple(sizes.get(label, 1) for label in axes)
    return Value(
        tensor, TensorType(graph_shape, DType.FLOAT32), shape, without_units(labels, shape)
    )


def without_units(labels: Labels, shape: Shape) -> Labels:
    """Labels with those of unit axes removed, which any unit axis can stand for."""
    return tuple(label if size > 1 else "" for label, size in zip(labels, shape, strict=True))


def reshaped(value: Value, shape: Shape) -> Value | None:
    """The value under a shape that differs in unit axes only; None if it differs in more."""
    if [d for d in value.shape if d != 1] != [d for d in shape if d != 1]:
        return None
    names = iter(value.named())
    return replace(value, shape=shape, labels=tuple(next(names) if d != 1 else "" for d in shape))


def flattening_order(value: Value) -> bool:
    """Whether the model's element order is (C, H, W) (True) or (H, W, C) (False).

    Raises:
        RuleError: it is neither.
    """
    order = "".join(value.named())
    for reference, channels_first in (("chw", True), ("hwc", False)):
        if order == "".join(label for label in reference if label in order):
            return channels_first
    raise RuleError(
        "a map must be flattened in the order (channels, height, width) or (height, width, "
        "channels)",
        f"axes {list(value.shape)} in the order {order}",
        "remove the Transpose before the Flatten",
    )


def fitted(value: Value, constant: Array) -> tuple[Array, Value]:
    """A constant operand in the graph's layout, and the value under the broadcast model shape.

    Returns:
        A float32 array of shape (), (C,) or the whole of the graph's shape: as small as the
        repetition in it allows.

    Raises:
        RuleError: the constant is larger than the value.
    """
    try:
        shape = np.broadcast_shapes(value.shape, constant.shape)
    except ValueError:
        shape = ()
    grown = reshaped(value, shape) if math.prod(shape) == math.prod(value.shape) else None
    if grown is None:
        raise RuleError(
            "a constant operand must broadcast to the other operand",
            f"shapes {list(value.shape)} and {list(constant.shape)}",
        )
    full = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    order = [grown.labels.index(x) for x in ("hwc" if value.is_map else "c") if x in grown.labels]
    rest = [axis for axis in range(len(shape)) if axis not in order]
    moved = full.transpose(order + rest).reshape([full.shape[axis] for axis in order])
    sizes = iter(moved.shape)
    spread = moved.reshape(
        [next(sizes) if x in grown.labels else 1 for x in ("hwc" if value.is_map else "c")]
    )
    return _collapsed(spread.astype(np.float32), value.type.shape), grown


def _collapsed(array: Array, shape: Shape) -> Array:
    """Drop the axes over which an array only repeats itself."""
    for axis in range(array.ndim - 1):
        first = array.take([0], axis=axis)
        if (array == first).all():
            array = first
    if array.size == 1:
        return array.reshape(())
    if all(size == 1 for size in array.shape[:-1]):
        return array.reshape(-1)
    return np.ascontiguousarray(np.broadcast_to(array, shape))
