"""Faults of one population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from circuitsim.motif.activation import GatedBy
from circuitsim.motif.checks import Faults, is_number, is_whole, read
from circuitsim.motif.phase import in_phase
from circuitsim.motif.population import STREAMS, Population
from circuitsim.motif.roles import is_driven, is_driven_in, is_error, reads_drive
from circuitsim.motif.state import State
from circuitsim.motif.sweep_order import gates_of
from circuitsim.motif.vocabularies import parse_activation, parse_neuron_state, parse_trace

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif


def population_fields(p: Population) -> Faults:
    owner = f"population {p.name!r}"
    if not is_whole(p.size) or p.size < 1:
        yield f"{owner}: size must be a positive integer (got {p.size!r})"
    if p.stream not in STREAMS:
        yield f"{owner}: stream must be one of {STREAMS} (got {p.stream!r})"
    if not isinstance(p.activation, str | GatedBy):
        yield f"{owner}: activation must be a name, an expression or GatedBy (got {p.activation!r})"
    if not isinstance(p.trace, str | None):
        yield f"{owner}: trace must be an expression or None (got {p.trace!r})"
    yield from states_are_sound(owner, p.state)


def states_are_sound(owner: str, states: Mapping[str, State]) -> Faults:
    """Names, starts and parameters of states."""
    for name, state in states.items():
        if not (isinstance(name, str) and name.isidentifier()):
            yield f"{owner}: state {name!r}: a name must be an identifier, since rules use it"
        if not isinstance(state, State):
            yield f"{owner}: state {name!r} must be an update or a State (got {state!r})"
        elif not is_number(state.start):
            yield f"{owner}: state {name!r}: start must be a finite number (got {state.start!r})"
        else:
            for parameter, value in state.parameters.items():
                if not is_number(value):
                    yield f"{owner}: state {name!r}: parameter {parameter!r} must be a finite number (got {value!r})"


def population_meaning(motif: Motif, population: Population, sound: set[str]) -> Faults:
    yield from read(parse_activation, population)
    yield from read(parse_trace, population)
    yield from _gates(motif, population, sound)
    yield from _drive(motif, population)
    for name in population.state:
        yield from read(lambda state: parse_neuron_state(motif, population, state), name)


def _gates(motif: Motif, population: Population, sound: set[str]) -> Faults:
    for gate in sound.intersection(gates_of(population)):
        if motif.population(gate).size != population.size:
            yield (
                f"population {population.name!r} of size {population.size}: gated by {gate!r} of size "
                f"{motif.population(gate).size}; the sizes must be equal"
            )


def _drive(motif: Motif, p: Population) -> Faults:
    if p.stream == "descending" and reads_drive(p) and not (is_driven(motif, p) or is_error(motif, p)):
        yield (
            f"population {p.name!r}: nothing drives it; a descending population needs a soma projection onto it "
            "or an Objective whose error it is"
        )
    both = [phase for phase in motif.phases if phase.errors and is_driven_in(in_phase(motif, phase), p)]
    if both and is_error(motif, p):
        yield f"population {p.name!r}: an error population is driven by its objective alone; remove the soma projection"
