"""The functions of the rule language, and the operations of programs, on numbers and NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Value = Any  # a number or an array


def _gate(value: Value, condition: Value) -> Value:
    return np.where(condition != 0, value, 0.0)


ELEMENTWISE: dict[str, Callable[..., Value]] = {
    "add": np.add,
    "multiply": np.multiply,
    "reciprocal": np.reciprocal,
    "power": np.power,
    "greater": lambda a, b: np.greater(a, b) * 1.0,
    "greater_equal": lambda a, b: np.greater_equal(a, b) * 1.0,
    "equal": lambda a, b: np.equal(a, b) * 1.0,
    "not_equal": lambda a, b: np.not_equal(a, b) * 1.0,
    "absolute": np.abs,
    "sign": np.sign,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "reciprocal_sqrt": lambda x: np.reciprocal(np.sqrt(x)),
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": lambda condition, yes, no: np.where(condition != 0, yes, no),
    "gate": _gate,
    "add_multiple": lambda a, b, factor: a + factor * b,
    "gate_above": lambda value, x, threshold: _gate(value, x > threshold),
}
