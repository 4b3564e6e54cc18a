"""Validation of whole numbers and flags among arguments."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

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


def check_flags(**flags: object) -> None:
    """Raise ParameterError unless each is True or False: a text such as "no" would count as True."""
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ParameterError(f"{name} must be True or False (got {value!r})")
