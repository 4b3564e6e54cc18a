"""Predicates on the source of a population's drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitsim.motif.wiring import driven_populations, error_populations, inputs_of

if TYPE_CHECKING:
    from circuitsim.motif.declarations import Declarations
    from circuitsim.motif.population import Population


def is_driven(motif: Declarations, population: Population) -> bool:
    """Return whether a soma projection onto the population exists in any phase."""
    return population.name in driven_populations(motif)


def is_error(motif: Declarations, population: Population) -> bool:
    """Return whether an objective drives the population."""
    return population.name in error_populations(motif)


def is_input(motif: Declarations, population: Population) -> bool:
    """Return whether the population is an input, whose drive is given as x."""
    return population.name in inputs_of(motif)
