"""Slopes of activations, by forward differentiation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Dual:
    """A value with its derivative with respect to `drive`."""

    value: Any
    slope: Any = 0.0
    __array_ufunc__ = None  # NumPy numbers on the left leave the arithmetic to this class

    def __add__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value + b.value, a.slope + b.slope)

    def __mul__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value * b.value, a.slope * b.value + a.value * b.slope)

    def __truediv__(self, other: Any) -> Dual:
        a, b = self, dual(other)
        return Dual(a.value / b.value, (a.slope * b.value - a.value * b.slope) / b.value**2)

    def __pow__(self, exponent: Any) -> Dual:
        n = plain(exponent)  # `drive` does not stand in exponents
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other) - self

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other) / self

    __radd__, __rmul__ = __add__, __mul__


def dual(x: Any) -> Dual:
    """A constant, unless it is a Dual already."""
    return x if isinstance(x, Dual) else Dual(x)


def plain(x: Any) -> Any:
    """The value without its slope."""
    return x.value if isinstance(x, Dual) else x


def pick(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`; what the other one is does not matter."""
    if not (isinstance(yes, Dual) or isinstance(no, Dual)):
        return np.where(condition, yes, no)
    yes, no = dual(yes), dual(no)
    return Dual(np.where(condition, yes.value, no.value), np.where(condition, yes.slope, no.slope))


def _chain(function: Any, derivative: Any) -> Any:
    def of_dual(x: Any) -> Dual:
        x = dual(x)
        return Dual(function(x.value), derivative(x.value) * x.slope)

    return of_dual


def _minimum(a: Any, b: Any) -> Any:
    return pick(plain(a) <= plain(b), a, b)


def _maximum(a: Any, b: Any) -> Any:
    return pick(plain(a) >= plain(b), a, b)


def _clip(x: Any, low: Any, high: Any) -> Any:
    """At a bound the slope is that of the bound."""
    below = pick(plain(x) > plain(low), x, low)
    return pick(plain(below) < plain(high), below, high)


OF_DUAL = {
    "where": lambda condition, yes, no: pick(np.asarray(plain(condition)) != 0, yes, no),
    "abs": _chain(np.abs, np.sign),
    "sign": _chain(np.sign, np.zeros_like),
    "relu": lambda x: pick(plain(x) > 0, x, 0.0),
    "tanh": _chain(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "exp": _chain(np.exp, np.exp),
    "sqrt": _chain(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "minimum": _minimum,
    "maximum": _maximum,
    "clip": _clip,
}


def _logistic(x: np.ndarray) -> np.ndarray:
    return (1.0 + np.tanh(x / 2.0)) / 2.0  # exactly 0 below -37, as rules that compare it with 0 see it


NAMED = {  # activation -> activity, slope
    "linear": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0) * 1.0),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "sigmoid": (_logistic, lambda x: _logistic(x) * (1.0 - _logistic(x))),
    "one": (np.ones_like, np.zeros_like),
}
