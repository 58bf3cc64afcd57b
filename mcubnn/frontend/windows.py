"""The sliding window of a Conv or pooling node."""

from __future__ import annotations

from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.raw import RawNode
from mcubnn.ops.geometry import Window

_MAX_STEP = 1 << 15


def window_of(node: RawNode, kernel: tuple[int, ...], size: tuple[int, ...]) -> Window:
    """The window of a node whose attributes follow Conv.

    Args:
        node: Conv, MaxPool or AveragePool.
        kernel: spatial shape of the kernel.
        size: spatial shape of the node's input.

    Raises:
        RuleError: not two-dimensional, or attributes that make no sense.
    """
    if len(kernel) != 2 or len(size) != 2:
        raise RuleError(
            "windows must be two-dimensional",
            f"kernel {list(kernel)} on an input with {len(size)} spatial axes",
            "write a 1-D layer as a 2-D one with a height of 1",
        )
    strides = _pair(node, "strides")
    dilations = _pair(node, "dilations")
    _check_range("kernel_shape", kernel, 1)
    pads = _pads(node, Window((kernel[0], kernel[1]), strides, dilations=dilations), size)
    return Window((kernel[0], kernel[1]), strides, pads, dilations)


def _pair(node: RawNode, name: str) -> tuple[int, int]:
    values = node.integers(name) or (1, 1)
    _check_range(name, values, 1)
    if len(values) != 2:
        raise RuleError(f"{name} must have two values", str(values))
    return values[0], values[1]


def _check_range(name: str, values: tuple[int, ...], least: int) -> None:
    if any(not least <= value <= _MAX_STEP for value in values):
        raise RuleError(f"{name} must be from {least} to {_MAX_STEP}", str(values))


def _pads(node: RawNode, window: Window, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Rows and columns added at the top, left, bottom, right; the order ONNX has too."""
    mode = node.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return (0, 0, 0, 0)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return _same_pads(mode, window, size)
    if mode != "NOTSET":
        raise RuleError("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode)
    pads = node.integers("pads") or (0, 0, 0, 0)
    _check_range("pads", pads, 0)
    if len(pads) != 4:
        raise RuleError("pads must have four values", str(pads))
    return pads[0], pads[1], pads[2], pads[3]


def _same_pads(mode: str, window: Window, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Pads that make the output ceil(size / stride); SAME_UPPER puts an odd one at the end."""
    begin, end = [], []
    for axis in (0, 1):
        stride = window.strides[axis]
        span = window.dilations[axis] * (window.kernel[axis] - 1) + 1
        outputs = -(-size[axis] // stride)
        total = max(0, (outputs - 1) * stride + span - size[axis])
        small, large = total // 2, total - total // 2
        begin.append(small if mode == "SAME_UPPER" else large)
        end.append(large if mode == "SAME_UPPER" else small)
    return begin[0], begin[1], end[0], end[1]
