"""Initialisers of the structs that all kernels' parameters share (mcubnn/types.h)."""

from __future__ import annotations

from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import Constant, Struct
from mcubnn.ops.geometry import Window

_PIXEL_TYPES = {
    DType.UINT8: "MCUBNN_PIXEL_U8",
    DType.INT8: "MCUBNN_PIXEL_S8",
    DType.INT32: "MCUBNN_PIXEL_S32",
}


def dims(tensor: TensorType) -> Struct:
    """`mcubnn_dims`; a vector is one pixel."""
    height, width, channels = tensor.shape if len(tensor.shape) == 3 else (1, 1, *tensor.shape)
    return Struct((("height", height), ("width", width), ("channels", channels)))


def window_struct(window: Window) -> Struct:
    """`mcubnn_window`."""
    return Struct(
        (
            ("kernel_height", window.kernel[0]),
            ("kernel_width", window.kernel[1]),
            ("stride_height", window.strides[0]),
            ("stride_width", window.strides[1]),
            ("dilation_height", window.dilations[0]),
            ("dilation_width", window.dilations[1]),
            ("pad_top", window.pads[0]),
            ("pad_left", window.pads[1]),
        )
    )


def pixel_type(dtype: DType) -> Constant:
    """`mcubnn_pixel_type` of an integer input."""
    return Constant(_PIXEL_TYPES[dtype])
