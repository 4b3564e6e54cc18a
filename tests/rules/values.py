"""Numbers for SymPy trees and for sums of factored terms: NumPy only, every shape ``[sample, post, pre]``."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
import sympy

from circuitsim.rules import SlowTerm, Sum, Term
from circuitsim.rules.functions import COMPARISONS
from tests.oracle import ELEMENTWISE

FUNCTIONS = {
    **ELEMENTWISE,
    "absolute": np.abs,
    "greater": lambda a, b: np.greater(a, b) * 1.0,
    "greater_equal": lambda a, b: np.greater_equal(a, b) * 1.0,
    "equal": lambda a, b: np.equal(a, b) * 1.0,
    "not_equal": lambda a, b: np.not_equal(a, b) * 1.0,
    "power": np.power,
}


def value_of(expression: sympy.Expr, names: dict[str, Any]) -> Any:
    """The value of a SymPy tree that has no reductions in it."""
    if expression.is_Symbol:
        return names[expression.name]
    if expression.is_Number:
        return np.float64(float(expression))
    parts = [value_of(argument, names) for argument in expression.args]
    if expression.is_Add:
        return functools.reduce(operator.add, parts)
    if expression.is_Mul:
        return _product(expression.args, parts)
    if expression.is_Pow:
        return parts[0] ** parts[1]
    return FUNCTIONS[type(expression).__name__](*parts)


def _product(factors: tuple[sympy.Expr, ...], values: list[Any]) -> Any:
    """A factor that is a comparison is a gate: where it is closed, the product is 0, whatever the others are."""
    found = functools.reduce(operator.mul, values)
    for factor, value in zip(factors, values, strict=True):
        if isinstance(factor, COMPARISONS):
            found = np.where(value != 0, found, 0.0)
    return found


def change_of(rule: Sum, names: dict[str, Any], mask: np.ndarray) -> np.ndarray:
    """The batch mean of a factored rule at present synapses, each product computed as the factors promise it.

    Args:
        names: arrays that broadcast to ``[sample, post, pre]``.
        mask: ``[post, pre]``.
    """
    names = dict(names)
    with np.errstate(all="ignore"):
        for reduction in rule.reductions:
            body = sum(_per_sample(part, names) for part in reduction.body)
            names[reduction.symbol.name] = reduce(reduction.kind, body, mask)
        total = sum((_mean(part, names) for part in rule.terms), np.zeros(mask.shape))
    return np.where(mask, total, 0.0)


def reduce(kind: str, body: Any, mask: np.ndarray) -> np.ndarray:
    """Sum or maximum over the present synapses of one end."""
    axis = 2 if kind.endswith("in") else 1
    body = np.broadcast_to(body, np.broadcast_shapes(np.shape(body), (1, *mask.shape)))
    if kind.startswith("sum"):
        return np.where(mask, body, 0.0).sum(axis, keepdims=True)
    found = np.where(mask, body, -np.inf).max(axis, keepdims=True)
    return np.where(np.isneginf(found), 0.0, found)


def _per_sample(part: Term | SlowTerm, names: dict[str, Any]) -> Any:
    if isinstance(part, SlowTerm):
        return value_of(part.expression, names)
    factors = (part.coefficient, part.weight, part.post, part.pre)
    return functools.reduce(operator.mul, (value_of(factor, names) for factor in factors))


def _mean(part: Term | SlowTerm, names: dict[str, Any]) -> np.ndarray:
    if isinstance(part, SlowTerm):
        n_samples = names["pre"].shape[0]
        whole = np.broadcast_to(value_of(part.expression, names), (n_samples, *_shape(names)))
        return whole.mean(axis=0)
    coefficient = float(value_of(part.coefficient, names))
    weight = np.broadcast_to(value_of(part.weight, names), (1, *_shape(names)))[0]  # else: depends on the sample
    post, pre = _side(part.post, names, "post"), _side(part.pre, names, "pre")
    return coefficient * weight * (post.T @ pre) / len(post)


def _side(factor: sympy.Expr, names: dict[str, Any], end: str) -> np.ndarray:
    """``[sample, neuron]``; fails where the factor depends on the other end."""
    return np.broadcast_to(value_of(factor, names), names[end].shape).squeeze(2 if end == "post" else 1)


def _shape(names: dict[str, Any]) -> tuple[int, int]:
    return names["post"].shape[1], names["pre"].shape[2]
