"""Predicates and helpers that the validation of a motif shares."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitsim.errors import ParameterError, RuleError

if TYPE_CHECKING:
    from circuitsim.motif.declarations import Declarations
    from circuitsim.motif.objective import Objective
    from circuitsim.motif.projection import Projection

Faults = Iterator[str]


def parse_faults(parser: Callable[..., Any], *declared: Any) -> Faults:
    try:
        parser(*declared)
    except RuleError as error:
        yield str(error)


def title(objective: Objective) -> str:
    return f"objective {objective.output!r} -> {objective.error!r}"


def shape(motif: Declarations, p: Projection) -> tuple[int, int]:
    return motif.population(p.post).size, motif.population(p.pre).size


def must(owner: str, value: object, be: Mapping[str, tuple[bool, str]]) -> Faults:
    """Yield the fields of a value that are not what they must be. `be` says of each field whether it is, and what it
    must be in words."""
    for field, (holds, what) in be.items():
        if not holds:
            yield f"{owner}{field} must be {what} (got {getattr(value, field)!r})"


def is_whole(value: Any, least: float = -math.inf) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.timedelta64) and is_finite(value)


def index(what: str, value: Any, size: int) -> int:
    """Return an index from 0, or raise a ParameterError that says what it is an index of."""
    if not (is_whole(value) and 0 <= value < size):
        raise ParameterError(f"{what} must be in 0 .. {size - 1} (got {value!r})")
    return int(value)


def is_finite(value: Any) -> bool:
    try:
        return bool(np.isfinite(np.asarray(value, dtype=float)).all())
    except (TypeError, ValueError, OverflowError):
        return False


def is_interval(bounds: Any) -> bool:
    if not (isinstance(bounds, tuple) and len(bounds) == 2) or not all(b is None or is_number(b) for b in bounds):
        return False
    low, high = bounds
    return low is None or high is None or low < high
