"""From an expression to a function of tensors. A tree of closures: nothing is generated, nothing evaluated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
import torch
from torch import Tensor

from circuitsim.engine.numbers import computed
from circuitsim.engine.operations import (
    ADD,
    GATE,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    OPERATIONS,
    POWER,
    RECIPROCAL,
    Operation,
    Value,
    full,
)
from circuitsim.rules.functions import greater

Env = Mapping[str, Any]  # the quantities of one cycle by name, each a Value; its "workspace", and its "share"
Evaluator = Callable[[Env], Value]


def lower(expression: sympy.Expr, leaf: Callable[[sympy.Symbol], Evaluator]) -> Evaluator:
    """A function that computes `expression`, each operation into a buffer of the cycle's workspace.

    Args:
        expression: over symbols that `leaf` knows.
        leaf: gives the function that reads one symbol.
    """
    if expression.is_Symbol:
        return leaf(expression)
    if expression.is_Number:
        value = float(expression)
        return lambda env: value
    if expression.is_Mul:
        return _product(expression.args, leaf)
    parts = [lower(argument, leaf) for argument in expression.args]
    if expression.is_Add:
        return fold(ADD, parts)
    if expression.is_Pow:
        return apply(RECIPROCAL, parts[0]) if expression.exp == -1 else apply(POWER, *parts)
    name = type(expression).__name__
    if name == "where":
        return _where(*parts)
    if name == "mean":
        return _mean(parts[0])
    if name == "clip":
        x, low, high = parts
        return apply(MINIMUM, apply(MAXIMUM, x, low), high)
    return apply(OPERATIONS[name], *parts)


def _product(factors: Sequence[sympy.Expr], leaf: Callable[[sympy.Symbol], Evaluator]) -> Evaluator:
    """A factor ``greater(x, number)`` gates the others."""
    gates = [f for f in factors if f.func is greater and f.args[1].is_Number]
    others = [f for f in factors if f not in gates] or [gates.pop()]
    product = fold(MULTIPLY, [lower(f, leaf) for f in others])
    for gate in gates:
        product = apply(GATE, product, *(lower(x, leaf) for x in gate.args))
    return product


def apply(operation: Operation, *parts: Evaluator) -> Evaluator:
    """One operation on the values of `parts`, with a buffer of its own."""
    site = object()

    def evaluate(env: Env) -> Value:
        values = [part(env) for part in parts]
        for value in values:
            if isinstance(value, Tensor):
                result: Tensor = env["workspace"].run(site, operation.on_tensors, *values)
                return result
        return computed(operation.on_numbers, values)

    return evaluate


def fold(operation: Operation, parts: Sequence[Evaluator]) -> Evaluator:
    """An operation between all of `parts`: numbers first, then tensors from left to right."""
    if len(parts) == 1:
        return parts[0]
    site = object()

    def evaluate(env: Env) -> Value:
        values = [part(env) for part in parts]
        numbers = [value for value in values if not isinstance(value, Tensor)]
        result: Value | None = computed(_reduced(operation), numbers) if numbers else None
        if len(numbers) == len(values):
            assert result is not None
            return result
        run = env["workspace"].of(site)
        for k, value in enumerate(values):
            if isinstance(value, Tensor):
                result = value if result is None else run(k, operation.on_tensors, result, value)
        assert result is not None
        return result

    return evaluate


def _reduced(operation: Operation) -> Callable[..., float]:
    return lambda *numbers: functools.reduce(operation.on_numbers, numbers)


def _mean(x: Evaluator) -> Evaluator:
    """Over batch and population, of all processes."""
    site = object()

    def evaluate(env: Env) -> Value:
        value = x(env)
        return env["share"].mean(value, (1, 2), env["workspace"].of(site)) if isinstance(value, Tensor) else value

    return evaluate


def _where(condition: Evaluator, yes: Evaluator, no: Evaluator) -> Evaluator:
    site = object()

    def evaluate(env: Env) -> Value:
        values = condition(env), yes(env), no(env)
        like = next((value for value in values if isinstance(value, Tensor)), None)
        if like is None:
            return computed(_chosen, values)
        run = env["workspace"].of(site)
        # torch would make plain numbers float32
        tensors = [
            value if isinstance(value, Tensor) else run(k, full, value, like, ()) for k, value in enumerate(values)
        ]
        holds = run("holds", torch.ne, tensors[0], 0)
        chosen: Tensor = run("chosen", torch.where, holds, *tensors[1:])
        return chosen

    return evaluate


def _chosen(condition: float, yes: float, no: float) -> float:
    return yes if condition != 0 else no
