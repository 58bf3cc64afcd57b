"""Translations of ONNX operators with weights or windows."""

from __future__ import annotations

import numpy as np

from mcubnn.frontend.layout import CHANNELS_FIRST, Value, without_units
from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import Shape
from mcubnn.frontend.shapes import Inputs, axis_index
from mcubnn.frontend.site import Site, Step
from mcubnn.frontend.windows import window_of
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType
from mcubnn.ops.defs.batch_norm import BatchNorm
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.max_pool import MaxPool
from mcubnn.ops.defs.shape import Flatten, Pad
from mcubnn.ops.geometry import Window


def conv(site: Site) -> Step:
    """Conv: two-dimensional, group 1, constant weights."""
    value, weights = _map(site), site.weights(1)
    if weights.ndim != 4 or 0 in weights.shape:
        raise RuleError("weights must be [C_out, C_in, height, width]", str(list(weights.shape)))
    if site.node.integer("group", 1) != 1:
        raise RuleError(
            "group must be 1",
            f"group {site.node.integer('group', 1)}",
            "use an ordinary convolution; grouped ones are not supported yet",
        )
    kernel = site.node.integers("kernel_shape") or weights.shape[2:]
    if kernel != weights.shape[2:]:
        raise RuleError("kernel_shape must be the weights'", f"{kernel} and {weights.shape[2:]}")
    bias = site.vector(2, weights.shape[0]) if site.operand(2) is not None else None
    window = window_of(site.node, kernel, value.shape[2:])
    op = Conv2d(np.ascontiguousarray(weights.transpose(0, 2, 3, 1)), bias, window)
    return _on_map(site, value, op, weights.shape[0], window)


def max_pool(site: Site) -> Step:
    """MaxPool: two-dimensional, without incomplete windows."""
    value = _map(site)
    kernel = site.node.integers("kernel_shape") or ()
    window = window_of(site.node, kernel, value.shape[2:])
    if site.node.integer("ceil_mode", 0) and _has_remainder(window, value.shape[2:]):
        raise RuleError(
            "ceil_mode must be 0 where windows do not fill the map exactly",
            f"map {list(value.shape[2:])}, kernel {list(kernel)}",
            "export with ceil_mode=False",
        )
    return _on_map(site, value, MaxPool(window), value.size("c"), window)


def global_max_pool(site: Site) -> Step:
    """GlobalMaxPool over height and width."""
    value = _map(site)
    window = _whole_map(value)
    return _on_map(site, value, MaxPool(window), value.size("c"), window)


def reduce_max(site: Site) -> Step:
    """ReduceMax over height and width: a pool of the whole map."""
    value = _map(site)
    constants = [x if isinstance(x, np.ndarray) else None for x in site.operands]
    axes = Inputs(site.node, [value.shape], constants).integers(1, "axes") or ()
    if {axis_index(axis, 4) for axis in axes} != {2, 3}:
        raise RuleError("axes must be height and width, 2 and 3", str(axes))
    pooled = MaxPool(_whole_map(value))
    channels = value.size("c")
    if site.node.integer("keepdims", 1):
        shape: Shape = (1, channels, 1, 1)
        return site.relabel(value, shape, without_units(CHANNELS_FIRST, shape), pooled)
    labels = without_units(("", "c"), (1, channels))
    return site.relabel(value, (1, channels), labels, pooled, Flatten(channels_first=True))


def _whole_map(value: Value) -> Window:
    """One window, in strides of its own size, as one that overlaps no other."""
    size = (value.size("h"), value.size("w"))
    return Window(size, size)


def _has_remainder(window: Window, size: Shape) -> bool:
    top, left, bottom, right = window.pads
    room = (size[0] + top + bottom, size[1] + left + right)
    spans = [d * (k - 1) + 1 for d, k in zip(window.dilations, window.kernel, strict=True)]
    return any((r - s) % step for r, s, step in zip(room, spans, window.strides, strict=True))


def pad(site: Site) -> Step:
    """Pad with a constant around height and width."""
    value, source = site.data(), site.node
    if source.text("mode", "constant") != "constant":
        raise RuleError(
            "mode must be constant",
            source.text("mode", "constant"),
            "pad with a number: the device does not repeat pixels",
        )
    borders = _borders(site, value)
    filler = site.optional(2)
    fill = source.real("value", 0.0) if filler is None else float(filler.reshape(-1)[0])
    is_scaled = value.choice is not None and bool(value.choice.steps())
    around_bits = value.type.dtype is DType.BIT and not is_scaled
    if fill == np.inf or (around_bits and fill not in (-1.0, 0.0, 1.0)):
        raise RuleError(
            "the padding must be a number, or -inf before a MaxPool; around bits -1, 0 or 1",
            str(fill),
        )
    if not any(any(border) for border in borders):
        return site.keep(value)
    labels = [label or _unit_axis(value, i) for i, label in enumerate(value.labels)]
    amounts = {"h": (0, 0), "w": (0, 0)}
    for position, (label, border) in enumerate(zip(labels, borders, strict=True)):
        if not any(border):
            continue
        if label not in amounts or not value.is_map:
            raise RuleError("only height and width can be padded", f"axis {position}: {border}")
        amounts[label] = border
    shape = tuple(d + sum(b) for d, b in zip(value.shape, borders, strict=True))
    (top, bottom), (left, right) = amounts["h"], amounts["w"]
    op = Pad((top, left, bottom, right), fill)
    return site.relabel(value, shape, without_units(tuple(labels), shape), op)


def _unit_axis(value: Value, position: int) -> str:
    """What an axis of size 1 of [1, C, H, W] is."""
    return CHANNELS_FIRST[position] if value.is_channels_first else ""


def _borders(site: Site, value: Value) -> list[tuple[int, int]]:
    """Elements added before and after each axis of the model's tensor."""
    constants = [x if isinstance(x, np.ndarray) else None for x in site.operands]
    known = Inputs(site.node, [value.shape], constants)
    rank = len(value.shape)
    pads = known.integers(1, "pads") or ()
    axes = known.integers(3, "axes") or tuple(range(rank))
    if len(pads) != 2 * len(axes):
        raise RuleError("pads must have two values per axis", str(list(pads)))
    if any(not 0 <= amount <= 1 << 15 for amount in pads):
        raise RuleError("pads must not be negative or huge", str(list(pads)))
    borders = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        borders[axis_index(axis, rank)] = (pads[i], pads[i + len(axes)])
    return borders


def gemm(site: Site) -> Step:
    """Gemm with constant matrix and bias: alpha * x W + beta * bias."""
    node, value = site.node, _vector(site)
    matrix = _matrix(site, transposed=node.integer("transB", 0) != 0)
    if node.integer("transA", 0):
        raise RuleError("transA must be 0", "transA 1")
    weights = matrix * np.float32(node.real("alpha", 1.0))
    return _dense(site, value, weights, _gemm_bias(site, weights.shape[0]))


def _gemm_bias(site: Site, outputs: int) -> Array | None:
    if site.operand(2) is None:
        return None
    bias = site.weights(2) * np.float32(site.node.real("beta", 1.0))
    if bias.shape not in ((), (1,), (1, 1), (outputs,), (1, outputs)):
        raise RuleError(f"the bias must have {outputs} values", f"shape {list(bias.shape)}")
    return np.ascontiguousarray(np.broadcast_to(bias.reshape(-1), (outputs,)))


def matmul(site: Site) -> Step:
    """MatMul of a row vector with a constant matrix."""
    return _dense(site, _vector(site), _matrix(site, transposed=False), None)


def _matrix(site: Site, *, transposed: bool) -> Array:
    """The constant second operand as [N_out, N_in]."""
    matrix = site.weights(1)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise RuleError("weights must be a matrix", f"shape {list(matrix.shape)}")
    return np.ascontiguousarray(matrix if transposed else matrix.T)


def _vector(site: Site) -> Value:
    value = site.data()
    if value.is_map or value.shape[-1] != value.size("c"):
        raise RuleError(
            "a fully connected layer reads a vector [1, features]",
            f"a tensor of shape {list(value.shape)}",
            "put a Flatten before it",
        )
    return value


def _dense(site: Site, value: Value, weights: Array, bias: Array | None) -> Step:
    shape = (*value.shape[:-1], weights.shape[0])
    labels = tuple("c" if d > 1 else "" for d in shape)
    return site.relabel(value, shape, labels, Dense(weights, bias))


def batch_norm(site: Site) -> Step:
    """BatchNormalization at inference, over the channels."""
    node, value = site.node, site.data()
    if node.integer("training_mode", 0) or not node.integer("spatial", 1):
        raise RuleError(
            "batch normalization must be in inference mode, per channel",
            "training_mode 1 or spatial 0",
            "call model.eval() before the export",
        )
    if not value.has_axis(1, "c"):
        raise RuleError("axis 1 must be the channels", f"a tensor of shape {list(value.shape)}")
    gamma, beta, mean, variance = (site.vector(i, value.size("c")) for i in range(1, 5))
    epsilon = node.real("epsilon", 1e-5)
    if not np.isfinite(epsilon) or (variance + np.float32(epsilon) <= 0).any():
        raise RuleError("variance + epsilon must be positive", f"a minimum of {variance.min()}")
    return site.keep(value, BatchNorm(gamma, beta, mean, variance, epsilon))


def _map(site: Site) -> Value:
    value = site.data()
    if not value.is_channels_first:
        raise RuleError(
            "it reads a map [1, channels, height, width]",
            f"a tensor of shape {list(value.shape)}",
            "1-D and 3-D layers are not supported; channels-last maps need a Transpose before it",
        )
    return value


def _on_map(site: Site, value: Value, op: Op, channels: int, window: Window) -> Step:
    shape = (1, channels, *window.output_size(value.size("h"), value.size("w")))
    return site.relabel(value, shape, without_units(CHANNELS_FIRST, shape), op)
