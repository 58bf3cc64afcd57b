"""Type rules that several device operators share; each raises TypeRuleError with what was found."""

from __future__ import annotations

import numpy as np

from mcubnn.ir.op import require
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.exact import largest_sum
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import OutputStage, RequantizeStage, ScoreStage, ThresholdStage

PIXELS = (DType.UINT8, DType.INT8)
_LARGEST_DIMENSION = 2**16 - 1
_LARGEST_INT32 = 2**31 - 1


def require_dtype(operator: str, source: TensorType, allowed: tuple[DType, ...]) -> None:
    """The input's element type is one of those allowed, and its shape fits `mcubnn_dims`."""
    names = " or ".join(dtype.value for dtype in allowed)
    require(source.dtype in allowed, f"{operator} reads {names}", [source])
    require(
        len(source.shape) in (1, 3) and all(1 <= d <= _LARGEST_DIMENSION for d in source.shape),
        f"{operator} reads a map or a vector, each dimension from 1 to {_LARGEST_DIMENSION}",
        [source],
    )


def require_map(operator: str, source: TensorType, allowed: tuple[DType, ...]) -> None:
    """The input is a map of one of the element types allowed."""
    require_dtype(operator, source, allowed)
    require(len(source.shape) == 3, f"{operator} reads a map (height, width, channels)", [source])


def require_window(operator: str, window: Window) -> None:
    """The window's numbers fit `mcubnn_window`, and only its pads may be 0."""
    positive = (*window.kernel, *window.strides, *window.dilations)
    require(
        min(positive) >= 1
        and min(window.pads) >= 0
        and max(*positive, *window.pads) <= _LARGEST_DIMENSION,
        f"{operator}'s kernel, strides and dilations must be positive, its pads not negative",
        [window],
    )


def require_conv_weights(operator: str, source: TensorType, weights: Array, window: Window) -> None:
    """The weights are `[C_out, kernel_h, kernel_w, C_in]` for this map and window."""
    require_window(operator, window)
    require(
        weights.ndim == 4
        and len(weights) >= 1
        and weights.shape[1:] == (*window.kernel, source.channels),
        f"{operator}'s weights must be [outputs, kernel_h, kernel_w, channels of the map]",
        [source, window, f"weights {weights.shape}"],
    )


def require_dense_weights(operator: str, source: TensorType, weights: Array) -> None:
    """The weights are `[N_out, *input shape]`."""
    require(
        len(weights) >= 1 and weights.shape[1:] == source.shape,
        f"{operator}'s weights must be [outputs, *shape of the input]",
        [source, f"weights {weights.shape}"],
    )


def require_signs(operator: str, weights: Array) -> None:
    """Every weight is -1 or +1."""
    require(bool((np.abs(weights) == 1).all()), f"{operator}'s weights must be -1 or +1")


def require_int32_sums(operator: str, weights: Array, source: DType) -> None:
    """No sum, complete or partial, can leave int32."""
    largest = largest_sum(weights, source)
    require(largest <= _LARGEST_INT32, f"{operator}'s sums must fit int32", [f"up to {largest}"])


def staged_type(operator: str, positions: tuple[int, ...], stage: OutputStage) -> TensorType:
    """The output type behind a stage, whose tables must match the output's positions.

    Args:
        operator: name for messages.
        positions: height and width of the output map; empty for a vector.
        stage: the output stage.
    """
    require(
        1 <= stage.channels <= _LARGEST_DIMENSION,
        f"{operator} writes 1 to {_LARGEST_DIMENSION} channels",
        [stage.channels],
    )
    position = stage.position_class
    if position is not None:
        require(
            position.shape == positions and int(position.max()) < _table_rows(stage),
            f"{operator}'s position classes must name a table row for each output pixel",
            [f"classes {position.shape}", f"pixels {positions}", f"rows {_table_rows(stage)}"],
        )
    return TensorType((*positions, stage.channels), stage.dtype)


def require_stage_channels(operator: str, channels: int, stage: OutputStage) -> None:
    """The stage has one entry for each sum."""
    require(
        stage.channels == channels,
        f"{operator}'s output stage must have one entry per output channel",
        [f"{channels} sums", f"{stage.channels} entries"],
    )


def _table_rows(stage: OutputStage) -> int:
    if isinstance(stage, ThresholdStage):
        return len(stage.thresholds)
    assert isinstance(stage, RequantizeStage | ScoreStage)
    return len(stage.bias)
