"""Where the bits of a tensor come from."""

from __future__ import annotations

from mcubnn.ir.graph import Graph, Node
from mcubnn.ops.defs.bit_max_pool import BitMaxPool
from mcubnn.ops.defs.threshold import Threshold
from mcubnn.ops.output_stage import ThresholdStage
from mcubnn.ops.summing import SummingOp


def path_to_producer(graph: Graph, tensor: str) -> list[Node] | None:
    """The pools above a tensor and the thresholding node above them; None if others read them."""
    path: list[Node] = []
    while len(graph.consumers(tensor)) == 1:
        producer = graph.producer(tensor)
        if producer is None:
            return None
        path.append(producer)
        if isinstance(producer.op, BitMaxPool):
            tensor = producer.sources[0]
            continue
        staged = producer.op.stage if isinstance(producer.op, SummingOp | Threshold) else None
        return path if isinstance(staged, ThresholdStage) else None
    return None
