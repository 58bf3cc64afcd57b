from __future__ import annotations

import numpy as np

from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.printer import format_graph
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.elementwise import Mul
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.geometry import Window

_FLOAT = DType.FLOAT32


def _graph(weights: np.ndarray) -> Graph:
    window = Window((1, 1), pads=(0, 1, 0, 1))
    return Graph(
        "net",
        "x",
        "s",
        (
            Node("conv", Conv2d(weights, None, window), ("x",), "c"),
            Node("scale", Mul(np.asarray(0.5, np.float32)), ("c",), "scale"),
            Node("sign", Sign(1), ("scale",), "s"),
        ),
        {
            "x": TensorType((2, 2, 1), _FLOAT),
            "c": TensorType((2, 4, 1), _FLOAT),
            "scale": TensorType((2, 4, 1), _FLOAT),
            "s": TensorType((2, 4, 1), DType.BIT),
        },
        output_scale=0.25,
        notes=(Note("softmax", "dropped"),),
    )


def test_text_of_a_graph_is_stable() -> None:
    text = format_graph(_graph(np.ones((1, 1, 1, 1), np.float32)))
    assert text == (
        "graph net(x: float32[2x2x1]) -> s * 0.25\n"
        "  conv = conv2d(x) weights=float32[1x1x1x1]#aca16a6a bias=None "
        "window=Window(kernel=(1,1),strides=(1,1),pads=(0,1,0,1),dilations=(1,1)) pad_value=0.0 "
        "-> c float32[2x4x1]\n"
        "  scale = mul(c) constant=0.5 -> float32[2x4x1]\n"
        "  sign = sign(scale) at_zero=1 -> s bit[2x4x1]\n"
        "  note softmax: dropped\n"
    )


def test_text_changes_with_the_weights() -> None:
    one, two = np.ones((1, 1, 1, 1), np.float32), np.full((1, 1, 1, 1), 2.0, np.float32)
    assert format_graph(_graph(one)) != format_graph(_graph(two))
