"""Lookup of populations and projections by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from circuitsim.motif.memo import memoized
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection


@memoized
def population_of(motif: Any) -> dict[str, Population]:
    """Map each name to its population, or to the first one where a name is (wrongly) declared twice."""
    return _by_name(motif.populations)


@memoized
def projection_of(motif: Any) -> dict[str, Projection]:
    """Map each name to its projection, in the manner of `population_of`."""
    return _by_name(motif.projections)


def _by_name(values: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value.name, str):
            found.setdefault(value.name, value)
    return found
