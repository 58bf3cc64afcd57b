"""Translations of ONNX operators that map each element by itself, binarizers included."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from mcubnn.frontend.layout import Choice, Value
from mcubnn.frontend.problems import RuleError
from mcubnn.frontend.site import Site, Step
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array
from mcubnn.ops.defs.elementwise import Add, Clip, Div, Mul
from mcubnn.ops.defs.sign import Sign

_ONE = np.asarray(1.0, dtype=np.float32)
_MINUS_ONE = np.asarray(-1.0, dtype=np.float32)


def add(site: Site) -> Step:
    """Add of a constant."""
    value, constant, _ = site.data_and_constant()
    fitted, view = site.fitted(value, constant)
    return Step(value, (Add(fitted),), view)


def sub(site: Site) -> Step:
    """Sub of or from a constant."""
    value, constant, value_first = site.data_and_constant()
    fitted, view = site.fitted(value, constant)
    ops: tuple[Op, ...] = (
        (Add(np.asarray(-fitted)),) if value_first else (Mul(_MINUS_ONE), Add(fitted))
    )
    return Step(value, ops, view)


def mul(site: Site) -> Step:
    """Mul by a constant."""
    value, constant, _ = site.data_and_constant()
    fitted, view = site.fitted(value, constant)
    return Step(value, (Mul(fitted),), view)


def div(site: Site) -> Step:
    """Div by a constant that is not 0."""
    value, constant, value_first = site.data_and_constant()
    if not value_first:
        raise RuleError("the divisor must be constant", "a constant divided by a tensor")
    fitted, view = site.fitted(value, constant)
    if (fitted == 0).any():
        raise RuleError("the divisor must not be 0", "a divisor of 0")
    return Step(value, (Div(fitted),), view)


def neg(site: Site) -> Step:
    """Neg."""
    return site.keep(site.data(), Mul(_MINUS_ONE))


def relu(site: Site) -> Step:
    """Relu: a clip without upper bound."""
    return site.keep(site.data(), Clip(0.0, math.inf))


def clip(site: Site) -> Step:
    """Clip; bounds are inputs, before operator set 11 attributes; a missing one is infinite."""
    low, high = _bound(site, 1, "min", -math.inf), _bound(site, 2, "max", math.inf)
    value = site.data()
    return (
        site.keep(value)
        if (low, high) == (-math.inf, math.inf)
        else site.keep(value, Clip(low, high))
    )


def minimum(site: Site) -> Step:
    """Min with one constant number: a clip."""
    value, limit = _limit(site)
    return site.keep(value, Clip(-math.inf, limit))


def maximum(site: Site) -> Step:
    """Max with one constant number: a clip."""
    value, limit = _limit(site)
    return site.keep(value, Clip(limit, math.inf))


def _limit(site: Site) -> tuple[Value, float]:
    if len(site.operands) != 2:
        raise RuleError("it must have two operands", str(len(site.operands)))
    value, constant, _ = site.data_and_constant()
    fitted, _ = site.fitted(value, constant)
    if fitted.size != 1:
        raise RuleError("the limit must be one number", f"shape {list(constant.shape)}")
    return value, float(fitted)


def _bound(site: Site, index: int, attribute: str, missing: float) -> float:
    bound = site.optional(index)
    if bound is None:
        return site.node.real(attribute, missing)
    if bound.size != 1:
        raise RuleError(f"{attribute} must be one number", f"shape {list(bound.shape)}")
    return float(bound.reshape(-1)[0])


def sign(site: Site) -> Step:
    """Sign, which is 0 at 0."""
    value = site.data()
    return Step(value, (Sign(0),), value, Choice(_ONE, _MINUS_ONE))


def greater(site: Site) -> Step:
    """Greater: x > constant or constant > x."""
    return _compare(site, or_equal=False, rising=True)


def greater_or_equal(site: Site) -> Step:
    """GreaterOrEqual."""
    return _compare(site, or_equal=True, rising=True)


def less(site: Site) -> Step:
    """Less."""
    return _compare(site, or_equal=False, rising=False)


def less_or_equal(site: Site) -> Step:
    """LessOrEqual."""
    return _compare(site, or_equal=True, rising=False)


def _compare(site: Site, *, or_equal: bool, rising: bool) -> Step:
    """The sign of x - constant; exact, since a float difference is 0 only for equal operands.

    x > c is +1 above and -1 at c; x >= c is +1 at c; x < c is `not x >= c`; x <= c is `not x > c`.
    """
    value, constant, value_first = site.data_and_constant()
    fitted, view = site.fitted(value, constant)
    above = rising == value_first  # whether the comparison holds for large x
    at_zero = 1 if or_equal == above else -1
    shift: tuple[Op, ...] = (Add(np.asarray(-fitted)),) if fitted.any() else ()
    choice = Choice(np.asarray(above), np.asarray(not above))
    return Step(value, (*shift, Sign(at_zero)), view, choice)


def invert(site: Site) -> Step:
    """Not of a comparison."""
    value, choice = site.condition()
    return Step(value, (), value, Choice(choice.negative, choice.positive))


def where(site: Site) -> Step:
    """Where with a comparison and two constants."""
    value, choice = site.condition()
    if any(isinstance(operand, Value) for operand in site.operands[1:]):
        raise RuleError(
            "the values chosen from must be constants",
            "a computed one",
            "binarize with torch.where(x >= 0, 1., -1.)",
        )
    then, view = site.fitted(value, site.weights(1))
    otherwise, _ = site.fitted(value, site.weights(2))
    return Step(value, (), view, _chosen(choice, then, otherwise))


def cast(site: Site) -> Step:
    """Cast of a comparison to float32: 1 where it holds, else 0."""
    if site.node.integer("to", 0) != TensorProto.FLOAT:
        raise RuleError(
            "casts must be to FLOAT", f"element type number {site.node.integer('to', 0)}"
        )
    value, choice = site.condition()
    one, zero = np.asarray(1, dtype=np.float32), np.asarray(0, dtype=np.float32)
    return Step(value, (), value, _chosen(choice, one, zero))


def _chosen(choice: Choice, then: Array, otherwise: Array) -> Choice:
    return Choice(then if choice.positive else otherwise, then if choice.negative else otherwise)
