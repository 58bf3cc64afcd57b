"""Everything the model's C files contain, decided here; the templates only print it."""

from __future__ import annotations

from dataclasses import dataclass

from mcubnn.artifacts import Allocation, MemoryPlan
from mcubnn.codegen.literals import array_text, struct_text
from mcubnn.codegen.names import identifier, model_prefix
from mcubnn.errors import InternalError
from mcubnn.ir.graph import Graph, Node
from mcubnn.ir.types import DType, TensorType
from mcubnn.ops.base import DeviceOp, Table

ABI_VERSION = 3

_INPUT_TYPES = {DType.UINT8: 0, DType.INT8: 1}


@dataclass(frozen=True)
class TableText:
    """One constant array as printed."""

    symbol: str
    c_type: str
    length: int
    comment: str
    elements: str


@dataclass(frozen=True)
class NodeText:
    """One node as printed."""

    index: int
    symbol: str
    kernel: str
    comment: str
    tables: tuple[TableText, ...]
    params: str
    source_word: int
    result_word: int
    result_bytes: int
    scratch_word: int
    scratch_bytes: int
    scratch_arguments: str


@dataclass(frozen=True)
class ModelText:
    """What both templates print."""

    prefix: str
    macro: str
    guard: str
    abi_version: int
    kernels: tuple[str, ...]
    nodes: tuple[NodeText, ...]
    arena_bytes: int
    arena_words: int
    weight_bytes: int
    input_type: int
    input_c_type: str
    input_shape: tuple[int, int, int]
    input_bytes: int
    input_words: int
    input_word: int
    output_word: int
    output_count: int
    output_scale: str


def lower_to_text(graph: Graph, plan: MemoryPlan) -> ModelText:
    """Resolve names, offsets and initialisers."""
    prefix = model_prefix(graph.name)
    where = {a.tensor: a for a in plan.allocations}
    nodes = tuple(_node(prefix, i, n, graph, where) for i, n in enumerate(graph.nodes))
    kind, output = graph.tensors[graph.input], graph.tensors[graph.output]
    return ModelText(
        prefix=prefix,
        macro=prefix.upper(),
        guard=f"{prefix.upper()}_H",
        abi_version=ABI_VERSION,
        kernels=tuple(sorted({node.kernel for node in nodes})),
        nodes=nodes,
        arena_bytes=plan.arena_bytes,
        arena_words=plan.arena_bytes // 4,
        weight_bytes=plan.weight_bytes,
        input_type=_INPUT_TYPES[kind.dtype],
        input_c_type=f"{kind.dtype.value}_t",
        input_shape=_map_shape(kind),
        input_bytes=kind.storage_bytes,
        input_words=-(-kind.storage_bytes // 4),
        input_word=where[graph.input].offset_bytes // 4,
        output_word=where[graph.output].offset_bytes // 4,
        output_count=output.elements,
        output_scale=f"{graph.output_scale:.9g}",
    )


def _map_shape(kind: TensorType) -> tuple[int, int, int]:
    """Height, width, channels; a vector is 1 x 1 x features."""
    if len(kind.shape) == 3:
        return (kind.shape[0], kind.shape[1], kind.shape[2])
    return (1, 1, kind.elements)


def _node(
    prefix: str, index: int, node: Node, graph: Graph, where: dict[str, Allocation]
) -> NodeText:
    if not isinstance(node.op, DeviceOp):
        raise InternalError(f"node {node.name} ({node.op.name}) has no kernel")
    symbol = f"{prefix}_n{index:02d}_{identifier(node.name)}"
    source, result = graph.tensors[node.sources[0]], graph.tensors[node.result]
    call = node.op.kernel_call([source])
    scratch = where.get(f"{node.name}.scratch")
    return NodeText(
        index=index,
        symbol=symbol,
        kernel=call.kernel,
        comment=f"{node.op.operator}: {source} -> {result}",
        tables=tuple(_table(symbol, table) for table in call.params.tables()),
        params=struct_text(call.params, symbol),
        source_word=where[node.sources[0]].offset_bytes // 4,
        result_word=where[node.result].offset_bytes // 4,
        result_bytes=result.storage_bytes,
        scratch_word=scratch.offset_bytes // 4 if scratch else 0,
        scratch_bytes=scratch.size_bytes if scratch else 0,
        scratch_arguments=", ".join(f"{value}u" for value in call.scratch_arguments),
    )


def _table(symbol: str, table: Table) -> TableText:
    return TableText(
        symbol=f"{symbol}_{table.suffix}",
        c_type=table.c_type,
        length=int(table.values.size),
        comment=table.comment,
        elements=array_text(table),
    )
