"""From an expression to a function of tensors. A tree of closures: nothing is generated, nothing evaluated."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.share import Share
from circuitsim.rules.functions import mean

Value = Tensor | float
Env = Mapping[str, Any]  # the quantities of one cycle by name, each a Value
Evaluator = Callable[[Env], Value]


def lower(expression: sympy.Expr, leaf: Callable[[sympy.Symbol], Evaluator]) -> Evaluator:
    """A function that computes `expression`.

    Args:
        expression: over symbols that `leaf` knows.
        leaf: gives the function that reads one symbol.
    """
    if expression.is_Symbol:
        return leaf(expression)
    if expression.is_Number:
        value = float(expression)
        return lambda env: value
    parts = [lower(argument, leaf) for argument in expression.args]
    if expression.is_Add:
        return _fold(operator.add, parts)
    if expression.is_Mul:
        return _fold(operator.mul, parts)
    if expression.is_Pow:
        return _integer_power(parts[0], int(expression.exp))
    if isinstance(expression, mean):  # over batch and population
        return lambda env: _mean(parts[0](env), env["share"])
    function = FUNCTIONS[type(expression).__name__]
    return lambda env: function(*(part(env) for part in parts))


def _fold(operation: Callable[[Value, Value], Value], parts: list[Evaluator]) -> Evaluator:
    return lambda env: functools.reduce(operation, (part(env) for part in parts))


def _integer_power(base: Evaluator, exponent: int) -> Evaluator:
    if exponent == -1:
        return lambda env: 1.0 / base(env)
    return lambda env: base(env) ** exponent


def _tensor_or_float(of_tensor: Callable[[Tensor], Tensor]) -> Callable[[Value], Value]:
    def function(x: Value) -> Value:
        return of_tensor(x) if isinstance(x, Tensor) else float(of_tensor(torch.tensor(x, dtype=torch.float64)))

    return function


def _indicator(compare: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Value]:
    """1 where the comparison holds, else 0, in the type of what is compared."""

    def function(a: Value, b: Value) -> Value:
        like = a if isinstance(a, Tensor) else b
        return compare(a, b).to(like.dtype) if isinstance(like, Tensor) else float(compare(a, b))

    return function


def _minimum(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.minimum(a, b)
    if isinstance(a, Tensor):
        return a.clamp(max=b)
    return _minimum(b, a) if isinstance(b, Tensor) else min(a, b)


def _maximum(a: Value, b: Value) -> Value:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.maximum(a, b)
    if isinstance(a, Tensor):
        return a.clamp(min=b)
    return _maximum(b, a) if isinstance(b, Tensor) else max(a, b)


def _where(condition: Value, yes: Value, no: Value) -> Value:
    like = next((value for value in (condition, yes, no) if isinstance(value, Tensor)), None)
    if like is None:
        return yes if condition != 0 else no
    # torch would make plain numbers float32
    tensors = [
        v if isinstance(v, Tensor) else torch.full((), v, dtype=like.dtype, device=like.device)
        for v in (condition, yes, no)
    ]
    return torch.where(tensors[0] != 0, tensors[1], tensors[2])


def _power(base: Value, exponent: Value) -> Value:
    if isinstance(base, Tensor) or isinstance(exponent, Tensor):
        return torch.pow(base, exponent)  # type: ignore[arg-type]  # one number and one tensor are fine
    return base**exponent if base >= 0 or exponent == round(exponent) else math.nan


def _mean(x: Value, share: Share) -> Value:
    return share.mean(x, (1, 2)) if isinstance(x, Tensor) else x


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "greater": _indicator(operator.gt),
    "greater_equal": _indicator(operator.ge),
    "equal": _indicator(operator.eq),
    "not_equal": _indicator(operator.ne),
    "absolute": _tensor_or_float(torch.abs),
    "sign": _tensor_or_float(torch.sign),
    "relu": _tensor_or_float(torch.relu),
    "tanh": _tensor_or_float(torch.tanh),
    "exp": _tensor_or_float(torch.exp),
    "sqrt": _tensor_or_float(torch.sqrt),
    "power": _power,
    "minimum": _minimum,
    "maximum": _maximum,
    "clip": lambda x, low, high: _minimum(_maximum(x, low), high),
    "where": _where,
}
