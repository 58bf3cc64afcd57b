"""Worst-case stack from gcc's call graphs (`-fcallgraph-info=su`, one `.ci` file per object).

The sum is exact for compiled code because there is no recursion, no call through a pointer and
no array of variable length; any of them is an error. Interrupts are not used, so nothing adds to
the sum; a fault would, but it ends the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mcubnn.artifacts import StackUsage
from mcubnn.errors import BuildError

ENTRY = "Reset_Handler"

# Functions of libgcc and newlib come without call graphs. Disassembled for Armv7-M (gcc 12.2,
# newlib-nano 3.3) the deepest is __aeabi_uldivmod with 48 bytes; the others use at most 24.
LIBRARY_BYTES = 64
LIBRARY_FUNCTIONS = frozenset(
    {
        "memcpy", "memmove", "memset", "memcmp",
        "__aeabi_memcpy", "__aeabi_memcpy4", "__aeabi_memset", "__aeabi_memclr",
        "__aeabi_lmul", "__aeabi_llsl", "__aeabi_llsr", "__aeabi_lasr",
        "__aeabi_uldivmod", "__aeabi_ldivmod", "__aeabi_uidiv", "__aeabi_idiv", "__aeabi_uidivmod",
    }
)  # fmt: skip

# What the linker inserts where a branch does not reach (flash to ITCM) has no call graph either. On
# Armv6-M it pushes one word, and pops it before the callee runs; elsewhere it uses no stack.
VENEER_BYTES = 4

# Functions in assembly (thumb1, thumb2, mve in runtime_c/src) have no call graph and call nothing;
# of those written for several instruction sets the largest frame. tests/kernels/test_assembly.py
# counts again.
ASSEMBLY_BYTES: Mapping[str, int] = {
    "mcubnn_f2c_list": 40,
    "mcubnn_f2c_sum": 128,
    "mcubnn_f2c_sum_mve": 424,
    "mcubnn_f2t_reached": 8,
    "mcubnn_f2t_sum": 64,
    "mcubnn_input_conv2d_tab_expand": 44,
    "mcubnn_input_conv2d_tab_slide": 32,
    "mcubnn_input_conv2d_tab_sum": 48,
    "mcubnn_mdfa_sums": 80,
}

_INDIRECT = "__indirect_call"
_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_BYTES = re.compile(r"\\n(\d+) bytes \(([a-z,]+)\)")


@dataclass
class CallGraph:
    """Frames and calls of a whole program; built by `read_call_graph`.

    Attributes:
        frame_bytes: stack of one activation of each compiled function.
        calls: callees by caller.
        unbounded: functions whose frame depends on run-time values.
    """

    frame_bytes: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    unbounded: set[str] = field(default_factory=set)


def read_call_graph(texts: Iterable[str]) -> CallGraph:
    """Merge `.ci` files; of a weak function and its replacement the larger frame counts."""
    graph = CallGraph()
    for text in texts:
        for line in text.splitlines():
            _read_line(line, graph)
    return graph


def cover_veneers(graph: CallGraph) -> None:
    """Count every frame at least as large as that of a veneer that may run right before it."""
    for name, frame_bytes in graph.frame_bytes.items():
        graph.frame_bytes[name] = max(frame_bytes, VENEER_BYTES)


def worst_case(graph: CallGraph, entry: str = ENTRY) -> StackUsage:
    """The deepest path from `entry`.

    Raises:
        BuildError: the bound does not exist: recursion, a call through a pointer, a frame of
            variable size, or a function without information. All of them are named.
    """
    problems: list[str] = []
    deepest: dict[str, StackUsage] = {}
    _visit(entry, graph, (), deepest, problems)
    if problems:
        msg = "the worst-case stack cannot be bounded:\n" + "\n".join(sorted(set(problems)))
        raise BuildError(msg, "firmware may not recurse, call through pointers or use VLAs")
    return deepest[entry]


def _read_line(line: str, graph: CallGraph) -> None:
    edge = _EDGE.match(line)
    if edge is not None:
        graph.calls.setdefault(edge[1], set()).add(edge[2])
        return
    node = _NODE.match(line)
    frame = _BYTES.search(node[2]) if node is not None else None
    if node is None or frame is None:
        return
    graph.frame_bytes[node[1]] = max(int(frame[1]), graph.frame_bytes.get(node[1], 0))
    if frame[2] == "dynamic":
        graph.unbounded.add(node[1])


def _visit(
    name: str,
    graph: CallGraph,
    callers: tuple[str, ...],
    deepest: dict[str, StackUsage],
    problems: list[str],
) -> StackUsage:
    if name in deepest:
        return deepest[name]
    problem = _problem(name, graph, callers)
    if problem:
        problems.append(problem)
        return StackUsage(0, (name,))
    below = StackUsage(0, ())
    for callee in sorted(graph.calls.get(name, ())):
        usage = _visit(callee, graph, (*callers, name), deepest, problems)
        if usage.worst_case_bytes > below.worst_case_bytes:
            below = usage
    own = graph.frame_bytes.get(name, ASSEMBLY_BYTES.get(name, LIBRARY_BYTES))
    deepest[name] = StackUsage(own + below.worst_case_bytes, (name, *below.path))
    return deepest[name]


def _problem(name: str, graph: CallGraph, callers: tuple[str, ...]) -> str:
    caller = callers[-1] if callers else "the linker script"
    if name == _INDIRECT:
        return f"{caller}: calls through a pointer"
    if name in callers:
        return f"{name}: recursion: {' -> '.join((*callers[callers.index(name) :], name))}"
    if name in graph.unbounded:
        return f"{name}: its frame has a variable size"
    known = name in graph.frame_bytes or name in ASSEMBLY_BYTES or name in LIBRARY_FUNCTIONS
    if not known:
        return f"{name}: no stack information; called by {caller}"
    return ""
