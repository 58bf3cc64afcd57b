"""Says how often the framework's Sign meets exactly 0 on real data.

ONNX's Sign gives 0 there, which a bit cannot hold; `fuse_output_stage` proves where it cannot
happen. Where it can, calibration data shows whether it does. The graph is not changed.
"""

from __future__ import annotations

import numpy as np

from mcubnn.ir.graph import Graph, Note
from mcubnn.ir.types import Array
from mcubnn.ops.defs.sign import Sign


def count_sign_zeros(graph: Graph, calibration: Array | None) -> Graph:
    """Add a note for every Sign operator that meets a 0.

    Args:
        graph: source operators, in float32.
        calibration: pixels `[N, *input shape]`, or None to count nothing.
    """
    if calibration is None:
        return graph
    notes = []
    tensors = {graph.input: calibration}
    for node in graph.nodes:
        source = tensors.pop(node.sources[0])  # sequential: nobody else reads it
        tensors[node.result] = node.op.evaluate([source])
        if isinstance(node.op, Sign) and node.op.at_zero == 0:
            zeros = int(np.count_nonzero(source == 0))
            where = f"{zeros:,} of {source.size:,} values on {len(calibration)} calibration images"
            if zeros:
                notes.append(Note(node.name, f"sign(0) occurred: {where}"))
    return graph.with_notes(*notes)
