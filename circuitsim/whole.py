"""Validation of integer arguments."""

from __future__ import annotations

from operator import index
from typing import Any

from circuitsim.errors import ParameterError


def whole(name: str, value: Any, *, least: int) -> int:
    """Return `value` as an int, or raise ParameterError if it is less than `least`, a boolean or a float."""
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or number < least or isinstance(value, bool):
        raise ParameterError(f"{name} must be a whole number, {least} or more (got {value!r})")
    return number
