"""Whole-number arguments."""

from __future__ import annotations

from operator import index
from typing import Any

from circuitsim.errors import ParameterError


def whole(name: str, value: Any, *, least: int) -> int:
    """`value` as an int of at least `least`, or ParameterError; booleans and floats are not whole numbers."""
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or number < least or isinstance(value, bool):
        raise ParameterError(f"{name} must be a whole number, {least} or more (got {value!r})")
    return number
