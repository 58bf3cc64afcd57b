"""The ONNX operators that can be compiled: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mcubnn.frontend import rules_elementwise as elementwise
from mcubnn.frontend import rules_layers as layers
from mcubnn.frontend import rules_shape as shape
from mcubnn.frontend.site import Site, Step

Rule = Callable[[Site], Step]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "Add": elementwise.add,
        "BatchNormalization": layers.batch_norm,
        "Cast": elementwise.cast,
        "Clip": elementwise.clip,
        "Conv": layers.conv,
        "Div": elementwise.div,
        "Flatten": shape.reshape,
        "Gemm": layers.gemm,
        "GlobalMaxPool": layers.global_max_pool,
        "Greater": elementwise.greater,
        "GreaterOrEqual": elementwise.greater_or_equal,
        "Less": elementwise.less,
        "LessOrEqual": elementwise.less_or_equal,
        "MatMul": layers.matmul,
        "Max": elementwise.maximum,
        "MaxPool": layers.max_pool,
        "Min": elementwise.minimum,
        "Mul": elementwise.mul,
        "Neg": elementwise.neg,
        "Not": elementwise.invert,
        "Pad": layers.pad,
        "ReduceMax": layers.reduce_max,
        "Relu": elementwise.relu,
        "Reshape": shape.reshape,
        "Sign": elementwise.sign,
        "Squeeze": shape.reshape,
        "Sub": elementwise.sub,
        "Transpose": shape.transpose,
        "Unsqueeze": shape.reshape,
        "Where": elementwise.where,
    }
)

_BRANCHES = "the network must be sequential; branches are not supported yet"
_RUN_TIME = "its result depends on the input in a way that no threshold can express"
_POOLING = "use max-pooling, or a convolution with stride 2"
_GLOBAL_POOLING = "end with Flatten and a fully connected layer, or pool by maximum"
_SIGN_STEP = "binarize with sign instead; directly in front of the binarizer it is dropped"

UNSUPPORTED_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "Concat": _BRANCHES,
        "Split": _BRANCHES,
        "AveragePool": _POOLING,
        "GlobalAveragePool": _GLOBAL_POOLING,
        "ReduceMean": _GLOBAL_POOLING,
        "PRelu": _SIGN_STEP,
        "LeakyRelu": _SIGN_STEP,
        "Tanh": _SIGN_STEP,
        "Softsign": _SIGN_STEP,
        "HardSigmoid": "binarize with sign instead",
        "Round": "binarize with sign instead",
        "Softmax": "it can only be the last operator",
        "LogSoftmax": "it can only be the last operator",
        "Sigmoid": "it can only be the last operator",
        "ArgMax": "it can only be the last operator",
        "LayerNormalization": _RUN_TIME,
        "InstanceNormalization": _RUN_TIME,
        "Dropout": "call model.eval() before the export",
        "If": "export the network without control flow",
        "Loop": "export the network without control flow",
        "Scan": "export the network without control flow",
    }
)
