"""Expressions, by walking Python's syntax tree."""

from __future__ import annotations

import ast
import functools
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.oracle.slopes import Dual, pick, plain

_COMPARE = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ELEMENTWISE = {
    "where": lambda condition, yes, no: pick(np.asarray(condition) != 0, yes, no),
    "abs": np.abs,
    "sign": np.sign,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}


@dataclass(frozen=True)
class Gated:
    """A product with comparisons among its factors: `value` where all of them hold, else 0, whatever `value` is.

    Products, quotients and powers of a gated product are gated; to all else it is the number that it is.

    Args:
        value: the product of the other factors.
        is_open: where all comparisons hold.
    """

    value: Any
    is_open: Any

    @property
    def number(self) -> Any:
        """What sums and functions see of it."""
        return pick(self.is_open, self.value, 0.0)


def evaluate(text: str, names: dict[str, Any], functions: dict[str, Any]) -> Any:
    """The value of an expression.

    Args:
        text: in the rule language.
        names: arrays that broadcast, or `Dual` numbers.
        functions: by name, of such.
    """

    def number(node: ast.AST) -> Any:
        found = factor(node)
        return found.number if isinstance(found, Gated) else found

    def factor(node: ast.AST) -> Any:
        match node:
            case ast.Constant():
                return np.float64(node.value)
            case ast.Name():
                return names[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return _times(np.float64(-1.0), factor(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return factor(node.operand)
            case ast.BinOp(op=ast.Add()):
                return number(node.left) + number(node.right)
            case ast.BinOp(op=ast.Sub()):
                return number(node.left) - number(node.right)
            case ast.BinOp(op=ast.Mult()):
                return _times(factor(node.left), factor(node.right))
            case ast.BinOp(op=ast.Div()):
                return _mapped(lambda x: x / number(node.right), factor(node.left))
            case ast.BinOp(op=ast.Pow()):
                return _power(factor(node.left), number(node.right))
            case ast.Compare(ops=[op], comparators=[right]):
                return Gated(np.float64(1.0), _COMPARE[type(op)](plain(number(node.left)), plain(number(right))))
            case ast.Call(func=ast.Name(id=name)):
                return functions[name](*map(number, node.args))
        raise ValueError(f"the oracle cannot read {ast.dump(node)}")

    with np.errstate(all="ignore"):
        return number(_tree(text))


@functools.lru_cache(maxsize=4096)
def _tree(text: str) -> ast.AST:
    return ast.parse(text.strip(), mode="eval").body


def _mapped(function: Any, x: Any) -> Any:
    """A function of the other factors, behind the same gates."""
    return Gated(function(x.value), x.is_open) if isinstance(x, Gated) else function(x)


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, Gated) and isinstance(b, Gated):
        return Gated(a.value * b.value, a.is_open & b.is_open)
    if isinstance(b, Gated):
        a, b = b, a
    return _mapped(lambda x: x * b, a)


def _power(base: Any, exponent: Any) -> Any:
    """Behind the same gates where the exponent is whole and positive."""
    if isinstance(base, Gated) and not (np.ndim(exponent) == 0 and exponent > 0 and exponent == round(exponent)):
        base = base.number
    return _mapped(lambda x: x**exponent, base)


@functools.lru_cache(maxsize=4096)
def names_in(text: str) -> frozenset[str]:
    """All names in an expression, functions included."""
    return frozenset(node.id for node in ast.walk(_tree(text)) if isinstance(node, ast.Name))


def over_neurons(shape: tuple[int, ...]) -> dict[str, Any]:
    """Reductions over the neurons of each sample, of arrays or `Dual` numbers that broadcast to ``[batch, neuron]``.
    Slopes hold what the neurons share fixed.
    """

    def of_values(function: Any) -> Any:
        return lambda x: function(np.broadcast_to(plain(x), shape))

    def exponentials(x: np.ndarray) -> np.ndarray:
        return np.exp(x - x.max(axis=1, keepdims=True))

    def normaliser(x: np.ndarray) -> np.ndarray:
        return exponentials(x).sum(axis=1, keepdims=True)

    def softmax(x: Any) -> Any:
        found = of_values(lambda x: exponentials(x) / normaliser(x))(x)
        return Dual(found, found * x.slope) if isinstance(x, Dual) else found

    def rank(x: np.ndarray) -> np.ndarray:
        """How many are larger, or as large and of a lower index."""
        this, other, k = x[:, :, None], x[:, None, :], np.arange(x.shape[1])
        return ((other > this) | (other == this) & (k < k[:, None])).sum(axis=2).astype(float)

    return {
        "sum": of_values(lambda x: x.sum(axis=1, keepdims=True)),
        "max": of_values(lambda x: x.max(axis=1, keepdims=True)),
        "norm": of_values(lambda x: np.sqrt((x**2).sum(axis=1, keepdims=True))),
        "softmax": softmax,
        "rank": of_values(rank),
    }


def reductions(mask: np.ndarray) -> dict[str, Any]:
    """Sums and maxima over present synapses, of arrays ``[..., post, pre]``; 0 where there is none."""

    def total(axis: int) -> Any:
        return lambda e: np.where(mask, e, 0.0).sum(axis=axis, keepdims=True)

    def largest(axis: int) -> Any:
        def function(e: Any) -> np.ndarray:
            found = np.where(mask, e, -np.inf).max(axis=axis, keepdims=True)
            return np.where(mask.any(axis=axis, keepdims=True), found, 0.0)

        return function

    return {"sum_in": total(-1), "sum_out": total(-2), "max_in": largest(-1), "max_out": largest(-2)}
