"""Validation of numbers. They become floats, because code for Brian2 is written with their `repr`, and that of NumPy's
numbers is none."""

from __future__ import annotations

import numbers
from math import inf, nan
from typing import Any

from circuitsim.errors import ParameterError


def number(what: str, value: Any, *, least: float | None = None, positive: bool = False) -> float:
    """Return a number as a float, or raise a ParameterError if it is no real number, infinite, less than `least`, or to
    be positive and is not. `what` names it in the message."""
    found = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else nan
    if not (0 < found if positive else -inf < found if least is None else least <= found) or found == inf:
        wanted = "positive number" if positive else "finite number" if least is None else f"number, {least:g} or more"
        raise ParameterError(f"{what} must be a {wanted} (got {value!r})")
    return found


def is_multiple(long: float, short: float) -> bool:
    """Whether one positive number is another one times 1, 2, 3, ..., up to rounding."""
    return abs(long / short - round(long / short)) <= 1e-9 and long >= short


def set_numbers(owner: Any, *names: str, least: float | None = None, positive: bool = False) -> None:
    """Check fields of a frozen dataclass, and make them floats."""
    for name in names:
        checked = number(f"{type(owner).__name__}: {name}", getattr(owner, name), least=least, positive=positive)
        object.__setattr__(owner, name, checked)
