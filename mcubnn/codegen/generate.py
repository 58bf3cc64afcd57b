"""Stage entry: a lowered graph and its plan to the model's C library."""

from __future__ import annotations

import zlib

from mcubnn.artifacts import CProgram, MemoryPlan
from mcubnn.codegen.lower import lower_to_text
from mcubnn.codegen.templating import render
from mcubnn.ir.graph import Graph


def generate(graph: Graph, plan: MemoryPlan) -> CProgram:
    """The model's header and source; the same graph and plan give the same bytes."""
    model = lower_to_text(graph, plan)
    source = render("model.c.j2", model=model)
    model_hash = zlib.crc32(source.encode())
    header = render("model.h.j2", model=model, model_hash=f"0x{model_hash:08x}u")
    symbols = {
        node.name: tuple(t.symbol for t in text.tables)
        for node, text in zip(graph.nodes, model.nodes, strict=True)
    }
    files = {f"{model.prefix}.h": header, f"{model.prefix}.c": source}
    return CProgram(model.prefix, model_hash, files, symbols)
