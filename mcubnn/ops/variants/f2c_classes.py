"""Which thresholds an output pixel of a convolution uses: border and position classes together.

With exact zero padding the taps outside the map do not count, so T and with it the thresholds
differ along the border; the output stage may have position classes of its own. Both are patterns of
few different rows and columns, so a class is a pair (row class, column class).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.ir.types import Array, TensorType
from mcubnn.ops.defs.binary_conv2d import BinaryConv2d
from mcubnn.ops.geometry import Window
from mcubnn.ops.output_stage import ThresholdStage

MOST_CLASSES = 64
"""Above this the thresholds would take more flash than the kernel is worth."""


@dataclass(frozen=True, eq=False)
class ThresholdClasses:
    """Classes of the pixels of an output map.

    Attributes:
        rows: `[out_h]`, row class of each row, numbered from 0.
        columns: `[out_w]`, column class of each column.
        example_rows: for each row class the first row that has it.
        example_columns: for each column class the first column that has it.
        row_taps: `[out_h, kernel_h]`, which rows of the window have entries.
        column_taps: `[out_w, kernel_w]`, the same for columns.
        positions: `[out_h, out_w]`, class of the output stage.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    example_rows: NDArray[np.int64]
    example_columns: NDArray[np.int64]
    row_taps: NDArray[np.bool_]
    column_taps: NDArray[np.bool_]
    positions: NDArray[np.uint8]

    @property
    def count(self) -> int:
        """Number of pairs."""
        return len(self.example_rows) * len(self.example_columns)

    def taps(self, row: int, column: int) -> NDArray[np.bool_]:
        """Taps `[kernel_h, kernel_w]` that have entries at a pixel."""
        return np.outer(self.row_taps[row], self.column_taps[column])


def threshold_classes(op: BinaryConv2d, source: TensorType) -> ThresholdClasses:
    """The classes of a convolution's output pixels, in front of its pool."""
    assert isinstance(op.stage, ThresholdStage)
    height, width = source.shape[:2]
    out_h, out_w = op.map_size(height, width)
    row_taps = _taps(op.window, 0, height, np.arange(out_h)) | (op.pad_value != 0)
    column_taps = _taps(op.window, 1, width, np.arange(out_w)) | (op.pad_value != 0)
    positions = op.stage.position_class
    if positions is None:
        positions = np.zeros((out_h, out_w), dtype=np.uint8)
    rows, example_rows = _classes(np.hstack([row_taps, positions]))
    columns, example_columns = _classes(np.hstack([column_taps, positions.T]))
    return ThresholdClasses(
        rows, columns, example_rows, example_columns, row_taps, column_taps, positions
    )


def taps_inside(
    window: Window, map_size: tuple[int, int], places: Sequence[NDArray[np.int64]]
) -> Mapping[tuple[int, int], int]:
    """Rows and columns of a window that lie in the map, with the number of such windows.

    Args:
        window: the geometry.
        map_size: height and width of the map it slides over.
        places: rows and columns of the output.
    """
    rows = Counter(_taps(window, 0, map_size[0], places[0]).sum(axis=1).tolist())
    columns = Counter(_taps(window, 1, map_size[1], places[1]).sum(axis=1).tolist())
    return {(r, c): rows[r] * columns[c] for r in rows for c in columns}


def _taps(window: Window, axis: int, size: int, outputs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`[outputs, kernel]`: which taps along one axis lie in the map."""
    first = outputs * window.strides[axis] - window.pads[axis]
    place = first[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
    return (place >= 0) & (place < size)


def _classes(patterns: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class of each row of `patterns`, and the first row of each class."""
    _, examples, classes = np.unique(
        patterns.astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    return classes.reshape(-1), examples
