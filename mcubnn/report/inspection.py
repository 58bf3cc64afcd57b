"""What a model becomes, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass

from mcubnn.artifacts import KernelChoice
from mcubnn.ir.graph import Graph
from mcubnn.ops.base import DeviceOp
from mcubnn.report.report import KernelRow, kernel_rows


@dataclass(frozen=True)
class InspectionRow:
    """One node of the lowered graph.

    Attributes:
        weight_bits: 1, 8, or 0 for none.
        binary: `yes`, `no: <why>`, or `-` for nodes without weights.
    """

    name: str
    becomes: str
    input: str
    output: str
    macs: int
    weight_bits: int
    flash_bytes: int
    binary: str


@dataclass(frozen=True)
class Inspection:
    """A model as the compiler sees it.

    Attributes:
        kernels: the choice for a board; empty without one.
    """

    model: str
    input: str
    output: str
    output_scale: float
    rows: tuple[InspectionRow, ...]
    kernels: tuple[KernelRow, ...]
    binary_mac_share: float
    notes: tuple[str, ...]


def inspect_graph(graph: Graph, choices: tuple[KernelChoice, ...]) -> Inspection:
    """Describe a lowered graph, and the kernels chosen for a board if there is one."""
    rows = tuple(_row(graph, index) for index in range(len(graph.nodes)))
    macs = sum(row.macs for row in rows)
    binary = sum(row.macs for row in rows if row.weight_bits == 1)
    return Inspection(
        model=graph.name,
        input=str(graph.tensors[graph.input]),
        output=str(graph.tensors[graph.output]),
        output_scale=graph.output_scale,
        rows=rows,
        kernels=kernel_rows(choices),
        binary_mac_share=binary / macs if macs else 0.0,
        notes=tuple(f"{note.node}: {note.text}" for note in graph.notes),
    )


def _row(graph: Graph, index: int) -> InspectionRow:
    node = graph.nodes[index]
    assert isinstance(node.op, DeviceOp)
    sources = [graph.tensors[name] for name in node.sources]
    macs = node.op.macs(sources)
    bits = 0 if not macs else 1 if node.op.binary_weights else 8
    return InspectionRow(
        name=node.name,
        becomes=node.op.name,
        input=str(sources[0]),
        output=str(graph.tensors[node.result]),
        macs=macs,
        weight_bits=bits,
        flash_bytes=node.op.kernel_call(sources).weight_bytes,
        binary=_binary(graph, node.name, bits),
    )


def _binary(graph: Graph, node: str, bits: int) -> str:
    if bits == 0:
        return "-"
    if bits == 1:
        return "yes"
    reasons = [note.text for note in graph.notes if note.node == node]
    return f"no: {reasons[0]}" if reasons else "no"
