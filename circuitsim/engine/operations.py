"""The functions of the rule language on numbers and on tensors; every one of these takes ``out=``.

A value is a tensor, or a number that holds for all replicas. Operations get at least one tensor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.numbers import within

Value = Tensor | float


@dataclass(frozen=True)
class Operation:
    """One function of the language.

    Args:
        on_tensors: values, of which one is a tensor, and ``out`` -> a tensor.
        on_numbers: plain numbers -> a number.
    """

    on_tensors: Callable[..., Tensor]
    on_numbers: Callable[..., float]


def _commuting(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch wants the tensor first."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        return function(a, b, out=out) if isinstance(a, Tensor) else function(b, a, out=out)

    return operation


def _indicator(compare: Callable[..., Tensor], flipped: Callable[..., Tensor], number: Any) -> Operation:
    """1 where the comparison holds, else 0, in the type of what is compared."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        first, second, how = (a, b, compare) if isinstance(a, Tensor) else (b, a, flipped)
        assert isinstance(first, Tensor)
        return how(first, second).to(first.dtype) if out is None else how(first, second, out=out)

    return Operation(operation, lambda a, b: float(number(a, b)))


def _bound(tensors: Callable[..., Tensor], clamp: Callable[..., Tensor], number: Any) -> Operation:
    """minimum and maximum: with a number they are a clamp."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return tensors(a, b, out=out)
        tensor, bound = (a, b) if isinstance(a, Tensor) else (b, a)
        assert isinstance(tensor, Tensor) and not isinstance(bound, Tensor)
        return clamp(tensor, fitting(bound, tensor), out=out)

    return Operation(operation, number)


def _unary(function: Callable[..., Tensor]) -> Operation:
    return Operation(function, lambda x: float(function(torch.tensor(x, dtype=torch.float64))))


def _relu(x: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.clamp_min(x, 0.0, out=out)


def _gate(value: Value, x: Value, threshold: float, out: Tensor | None = None) -> Tensor:
    """`value` where ``x > threshold``, else 0: torch has this in one pass, as the derivative of a threshold."""
    if not isinstance(x, Tensor):
        return torch.mul(value, float(x > threshold), out=out)
    if not isinstance(value, Tensor):
        return torch.gt(x, threshold, out=torch.empty_like(x) if out is None else out).mul_(value)
    backward = torch.ops.aten.threshold_backward
    if out is None:
        return backward(value, x, threshold)
    return backward.grad_input(value, x, threshold, grad_input=out)


def _power(base: Value, exponent: Value, out: Tensor | None = None) -> Tensor:
    return torch.pow(base, exponent, out=out)  # type: ignore[arg-type]  # one number is fine


def _number_power(base: float, exponent: float) -> float:
    return float(base**exponent) if base >= 0 or exponent == round(exponent) else math.nan


def fitting(value: float, like: Tensor) -> float:
    """A number as the type of `like` holds it: torch would refuse 1e308 beside float32 in some places."""
    return within(value, torch.finfo(like.dtype).max)


def full(value: float, like: Tensor, shape: tuple[int, ...], out: Tensor | None = None) -> Tensor:
    """A tensor of one number, in the type of `like`."""
    value = fitting(value, like)
    return like.new_full(shape, value) if out is None else out.fill_(value)


def as_values(value: Value, like: Tensor, out: Tensor | None = None) -> Tensor:
    """A value at every synapse, in the shape of `like`; never `value` itself."""
    out = torch.empty_like(like) if out is None else out
    return out.copy_(value) if isinstance(value, Tensor) else out.fill_(fitting(value, like))


ADD = Operation(_commuting(torch.add), operator.add)
MULTIPLY = Operation(_commuting(torch.mul), operator.mul)
RECIPROCAL = Operation(torch.reciprocal, lambda x: 1.0 / x)
MINIMUM = _bound(torch.minimum, torch.clamp_max, min)
MAXIMUM = _bound(torch.maximum, torch.clamp_min, max)
GATE = Operation(_gate, lambda value, x, threshold: value * float(x > threshold))
POWER = Operation(_power, _number_power)

OPERATIONS: dict[str, Operation] = {
    "greater": _indicator(torch.gt, torch.lt, operator.gt),
    "greater_equal": _indicator(torch.ge, torch.le, operator.ge),
    "equal": _indicator(torch.eq, torch.eq, operator.eq),
    "not_equal": _indicator(torch.ne, torch.ne, operator.ne),
    "absolute": _unary(torch.abs),
    "sign": _unary(torch.sign),
    "relu": Operation(_relu, lambda x: max(x, 0.0)),
    "tanh": _unary(torch.tanh),
    "exp": _unary(torch.exp),
    "sqrt": _unary(torch.sqrt),
    "power": POWER,
    "minimum": MINIMUM,
    "maximum": MAXIMUM,
}
