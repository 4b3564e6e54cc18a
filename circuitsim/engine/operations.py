"""The elementwise operations of programs on tensors. All write into `out` if it is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Value = Tensor | float  # each operation gets at least one tensor


def _commuting(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Swap the operands if needed, because torch requires a tensor as the first."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        return function(a, b, out=out) if isinstance(a, Tensor) else function(b, a, out=out)

    return operation


def _indicator(compare: Callable[..., Tensor], flipped: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """1 where the comparison holds, else 0, in the data type of the operands."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        first, second, how = (a, b, compare) if isinstance(a, Tensor) else (b, a, flipped)
        assert isinstance(first, Tensor)
        return how(first, second).to(first.dtype) if out is None else how(first, second, out=out)

    return operation


def _bound(tensors: Callable[..., Tensor], clamp: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A minimum or maximum, which is a clamp if one operand is a number."""

    def operation(a: Value, b: Value, out: Tensor | None = None) -> Tensor:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            return tensors(a, b, out=out)
        return clamp(a, b, out=out) if isinstance(a, Tensor) else clamp(b, a, out=out)

    return operation


def _relu(x: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.relu(x) if out is None else torch.clamp_min(x, 0.0, out=out)


def gate_above(value: Tensor, x: Tensor, threshold: float, out: Tensor | None = None) -> Tensor:
    """`value` where ``x > threshold``, else 0. In torch, the derivative of a threshold computes this in one pass."""
    backward = torch.ops.aten.threshold_backward
    if out is None:
        return backward(value, x, threshold)
    return backward.grad_input(value, x, threshold, grad_input=out)


def _gate(value: Value, condition: Value, out: Tensor | None = None) -> Tensor:
    """`value` where the condition is 1; 0 where it is 0, even if the value is not finite there."""
    if isinstance(value, Tensor) and isinstance(condition, Tensor):
        return gate_above(value, condition, 0.5, out)
    if isinstance(value, Tensor):
        result = torch.empty_like(value) if out is None else out
        return result.copy_(value) if condition else result.zero_()
    assert isinstance(condition, Tensor)
    return gate_above(torch.full_like(condition, value), condition, 0.5, out)


def _where(condition: Value, yes: Value, no: Value, out: Tensor | None = None) -> Tensor:
    like = next(value for value in (condition, yes, no) if isinstance(value, Tensor))
    c, a, b = (v if isinstance(v, Tensor) else like.new_full((), fitting(v, like.dtype)) for v in (condition, yes, no))
    return torch.where(c != 0, a, b) if out is None else torch.where(c != 0, a, b, out=out)


def fitting(value: float, dtype: torch.dtype) -> float:
    """A number, or infinity if it is too large for the type. Some torch functions reject 1e308 with float32."""
    largest = torch.finfo(dtype).max
    return value if abs(value) <= largest or value != value else math.copysign(math.inf, value)


def _rank(x: Tensor, out: Tensor | None = None) -> Tensor:
    """0 for the largest of a sample's neurons, 1 for the next, ...; equal ones in order of index."""
    ranks = torch.argsort(torch.argsort(x, dim=-1, descending=True, stable=True), dim=-1).to(x.dtype)
    return ranks if out is None else out.copy_(ranks)


# Over the neurons of each sample, the last axis.
OVER_NEURONS: dict[str, Callable[..., Tensor]] = {
    "sum": lambda x, out=None: torch.sum(x, -1, keepdim=True, out=out),
    "max": lambda x, out=None: torch.amax(x, -1, keepdim=True, out=out),
    "norm": lambda x, out=None: torch.linalg.vector_norm(x, dim=-1, keepdim=True, out=out),
    "softmax": lambda x, out=None: torch.softmax(x, -1, out=out),
    "rank": _rank,
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": _commuting(torch.add),
    "multiply": _commuting(torch.mul),
    "reciprocal": torch.reciprocal,
    "power": torch.pow,
    "greater": _indicator(torch.gt, torch.lt),
    "greater_equal": _indicator(torch.ge, torch.le),
    "equal": _indicator(torch.eq, torch.eq),
    "not_equal": _indicator(torch.ne, torch.ne),
    "absolute": torch.abs,
    "sign": torch.sign,
    "relu": _relu,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "sqrt": torch.sqrt,
    "reciprocal_sqrt": torch.rsqrt,
    "minimum": _bound(torch.minimum, torch.clamp_max),
    "maximum": _bound(torch.maximum, torch.clamp_min),
    "where": _where,
    "gate": _gate,
    "add_multiple": lambda a, b, factor, out=None: torch.add(a, b, alpha=fitting(factor, a.dtype), out=out),
    "gate_above": gate_above,
}
