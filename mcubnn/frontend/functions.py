"""Functions local to an ONNX file are replaced by their nodes, after bounding their number."""

from __future__ import annotations

import onnx
import onnx.inliner

from mcubnn.errors import ModelError

_MAX_INLINED_NODES = 100_000
_MAX_FUNCTIONS = 1_000


def inline_functions(file: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model without local functions.

    Raises:
        ModelError: functions that call themselves, or too many nodes (calls can nest
            exponentially in a small file), or functions that onnx cannot inline.
    """
    if not model.functions:
        return model
    bodies = {(f.domain, f.name): list(f.node) for f in model.functions}
    if len(bodies) != len(model.functions) or len(bodies) > _MAX_FUNCTIONS:
        raise ModelError(f"{file}: local functions of the same name, or too many", _HINT)
    _check_size(file, list(model.graph.node), bodies)
    try:
        inlined = onnx.inliner.inline_local_functions(model)
    except Exception as error:  # whatever the library raises is the model's fault
        raise ModelError(f"{file}: its local functions cannot be inlined", _HINT) from error
    del inlined.functions[:]
    return inlined


_HINT = "export the model with optimization, so that it has no local functions"

_Bodies = dict[tuple[str, str], list[onnx.NodeProto]]


def _check_size(file: str, nodes: list[onnx.NodeProto], bodies: _Bodies) -> None:
    sizes: dict[tuple[str, str], int] = {}
    pending = dict(bodies)
    while pending:
        ready = [
            key for key, body in pending.items()
            if all(call in sizes for call in _calls(body, bodies))
        ]  # fmt: skip
        if not ready:
            raise ModelError(f"{file}: a local function calls itself", _HINT)
        for key in ready:
            sizes[key] = _expanded(pending.pop(key), bodies, sizes)
    total = _expanded(nodes, bodies, sizes)
    if total > _MAX_INLINED_NODES:
        raise ModelError(
            f"{file}: its local functions expand to more than {_MAX_INLINED_NODES} nodes", _HINT
        )


def _calls(nodes: list[onnx.NodeProto], bodies: _Bodies) -> list[tuple[str, str]]:
    keys = [(node.domain, node.op_type) for node in nodes]
    return [key for key in keys if key in bodies]


def _expanded(
    nodes: list[onnx.NodeProto], bodies: _Bodies, sizes: dict[tuple[str, str], int]
) -> int:
    calls = _calls(nodes, bodies)
    total = len(nodes) - len(calls) + sum(sizes[key] for key in calls)
    return min(total, _MAX_INLINED_NODES + 1)
