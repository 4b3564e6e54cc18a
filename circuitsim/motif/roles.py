"""Where a population's drive comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitsim.errors import RuleError
from circuitsim.motif.phase import in_phase
from circuitsim.motif.vocabularies import parse_activation
from circuitsim.rules.vocabulary import local

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif
    from circuitsim.motif.population import Population


def reads_drive(population: Population) -> bool:
    """Whether the activity depends on the soma input (a bias unit's does not)."""
    try:
        return local("drive") in parse_activation(population).free_symbols
    except RuleError:
        return True  # `validate` reports the activation itself


def is_driven(motif: Motif, population: Population) -> bool:
    """Whether a soma projection ends on the population, in any phase."""
    return any(is_driven_in(in_phase(motif, phase), population) for phase in motif.phases)


def is_driven_in(view: Motif, population: Population) -> bool:
    """Whether a soma projection ends on the population, in a motif as it is wired in one phase."""
    return any(p.post == population.name and p.target == "soma" for p in view.projections)


def is_error(motif: Motif, population: Population) -> bool:
    """Whether an objective drives the population."""
    return any(o.error == population.name for o in motif.objectives)


def is_input(motif: Motif, population: Population) -> bool:
    """Whether the population's drive is given from outside: nothing else drives it, in any phase."""
    noisy = any(population.name in phase.noise for phase in motif.phases)
    ascending = population.stream == "ascending"
    return ascending and reads_drive(population) and not (noisy or is_driven(motif, population))
