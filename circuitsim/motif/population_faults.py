"""Validation of one population."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from circuitsim.motif.arrays import counted_are
from circuitsim.motif.checks import Faults, is_number, is_whole, parse_faults
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.expressions import (
    NEURON_NAMES,
    PREVIOUS,
    SPIKE,
    parse_activation,
    parse_neuron_state,
    parse_trace,
    reads_drive,
)
from circuitsim.motif.identifiers import identifier_fault
from circuitsim.motif.population import SIGNS, STREAMS, GatedBy, Population, gates_of, is_shape
from circuitsim.motif.state import State
from circuitsim.motif.wiring import driven_populations, error_populations, labels_of, wirings
from circuitsim.rules.vocabulary import SPIKES

SOURCE = re.compile(r"target(:\w+)?")
SURROGATES = re.compile("[\ud800-\udfff]")  # halves of characters, which no file can hold


def population_fields(p: Population) -> Faults:
    owner = f"population {p.name!r}"
    if not is_whole(p.size) or p.size < 1:
        yield f"{owner}: size must be a positive integer (got {p.size!r})"
    if p.stream not in STREAMS:
        yield f"{owner}: stream must be one of {STREAMS} (got {p.stream!r})"
    if p.sign is not None and p.sign not in SIGNS:
        yield f"{owner}: sign must be one of {SIGNS} or None (got {p.sign!r})"
    if not isinstance(p.activation, str | GatedBy):
        yield f"{owner}: activation must be a name, an expression or GatedBy (got {p.activation!r})"
    if not isinstance(p.trace, str | None):
        yield f"{owner}: trace must be an expression or None (got {p.trace!r})"
    if p.source is not None and not (isinstance(p.source, str) and SOURCE.fullmatch(p.source)):
        yield f"{owner}: source must be 'target', 'target:<output>' or None (got {p.source!r})"
    yield from label_faults(owner, p.label)
    yield from _space(owner, p)
    yield from states_are_sound(owner, p.state, (SPIKE,))
    for name in filter((*NEURON_NAMES, PREVIOUS, SPIKE).__contains__, p.state):
        yield f"{owner}: state {name!r} has the name of a quantity of every neuron; rename it"


def _space(owner: str, p: Population) -> Faults:
    """Yield the faults of the shape and of the positions."""
    if p.shape is not None and not is_shape(p.shape):
        yield f"{owner}: shape must be (length,), (height, width) or (channels, height, width) (got {p.shape!r})"
    elif p.shape is not None and math.prod(p.shape) != p.size:
        yield f"{owner}: shape {p.shape} has {math.prod(p.shape)} places, but size is {p.size!r}; leave out the size"
    if p.positions is not None and (p.positions.ndim != 2 or len(p.positions) != p.size):
        yield f"{owner}: positions have shape {p.positions.shape}, need [neuron, dimension] with {p.size} neurons"
    elif p.positions is not None and not np.isfinite(p.positions).all():
        yield f"{owner}: positions must be finite numbers, but {counted_are(~np.isfinite(p.positions))} not"


def label_faults(owner: str, label: object) -> Faults:
    """Yield the fault of a label, which may be any text."""
    if not isinstance(label, str | None):
        yield f"{owner}: label must be a text or None (got {label!r})"
    elif label is not None and SURROGATES.search(label):
        yield f"{owner}: label must be a text that can be written in UTF-8 (got {label!r})"


def states_are_sound(owner: str, states: Mapping[str, State], spikes: Sequence[str] = SPIKES) -> Faults:
    """Yield the faults in the names, initial values and parameters of states, and in the spikes that they name."""
    for name, state in states.items():
        if fault := identifier_fault(name):
            yield f"{owner}: state {name!r}: {fault}"
        if not isinstance(state.per_sample, bool):
            yield f"{owner}: state {name!r}: per_sample must be True or False (got {state.per_sample!r})"
        elif fault := _kind_fault(state, spikes):
            yield f"{owner}: state {name!r} {fault}"
        elif not is_number(state.start):
            yield f"{owner}: state {name!r}: start must be a finite number (got {state.start!r})"
        else:
            for parameter, value in state.parameters.items():
                if fault := identifier_fault(parameter):
                    yield f"{owner}: state {name!r}: parameter {parameter!r}: {fault}"
                if not is_number(value):
                    yield f"{owner}: state {name!r}: parameter {parameter!r} must be a finite number (got {value!r})"


def _kind_fault(state: State, spikes: Sequence[str]) -> str | None:
    """Return what is wrong with the update of a state, or with what is added to it at spikes."""
    if state.update is not None:
        at_spikes = [
            f"{name}={value!r}" for name in ("tau_ms", "on", "add") if (value := getattr(state, name)) is not None
        ]
        return f"has an update, made at each step, so it takes no {at_spikes[0]} for spikes" if at_spikes else None
    if state.per_sample:
        return "is per sample, which takes an update at each step"
    if state.add is None:
        return 'needs an update, or the spike on which it changes, as in State(tau_ms=20, on="' + f'{spikes[0]}")'
    if state.tau_ms is not None and not (is_number(state.tau_ms) and state.tau_ms > 0):
        return f"needs a positive number of ms for tau_ms, or None for no decay (got {state.tau_ms!r})"
    if state.on is not None and state.on not in spikes:
        return f"can change on {' or '.join(spikes)} (got on={state.on!r})"
    if not (isinstance(state.add, str) or is_number(state.add)):
        return f"needs a number or an expression for add (got {state.add!r})"
    return None


def population_meaning(motif: Declarations, population: Population, sound: set[str]) -> Faults:
    yield from parse_faults(lambda: parse_activation(motif, population))
    yield from parse_faults(lambda: parse_trace(motif, population))
    yield from _gates(motif, population, sound)
    yield from _drive(motif, population)
    yield from _source(motif, population, sound)
    for name in population.state:
        if name in {signal.name for signal in motif.signals}:
            yield f"population {population.name!r}: state {name!r} has the name of a signal; rename one"
    for name in population.state:
        yield from parse_faults(functools.partial(parse_neuron_state, motif, population, name))


def _gates(motif: Declarations, population: Population, sound: set[str]) -> Faults:
    for gate in sound.intersection(gates_of(population)):
        if motif.population(gate).size != population.size:
            yield (
                f"population {population.name!r} of size {population.size}: gated by {gate!r} of size "
                f"{motif.population(gate).size}; the sizes must be equal"
            )


def _source(motif: Declarations, p: Population, sound: set[str]) -> Faults:
    """Yield the faults of a population that a target drives."""
    if p.source is None:
        return
    owner = f"population {p.name!r}: source={p.source!r}"
    outputs = list(dict.fromkeys(o.output for o in motif.objectives))
    objective = labels_of(motif).get(p.name)
    if not outputs:
        yield f"{owner}, but the motif has no target; add an Objective, or leave out the source and give it as an input"
    elif objective is None:
        known = ", ".join(f"'target:{output}'" for output in outputs)
        yield f"{owner} does not say which output's target it is; write one of {known}"
    elif objective.output in sound and (size := motif.population(objective.output).size) != p.size:
        yield f"{owner}: its size {p.size} must be {size}, that of the output {objective.output!r}"
    if p.name in driven_populations(motif) | error_populations(motif):
        yield f"{owner}: the target alone drives it; remove soma projections onto it and an Objective whose error it is"


def _drive(motif: Declarations, p: Population) -> Faults:
    is_error = p.name in error_populations(motif)
    has_drive = is_error or p.name in driven_populations(motif) or p.source is not None
    if p.stream == "descending" and reads_drive(motif, p) and not has_drive:
        yield (
            f"population {p.name!r}: nothing drives it; a descending population needs a soma projection onto it "
            "or an Objective whose error it is"
        )
    if is_error and any(wiring.phase.errors and wiring.soma_onto[p.name] for wiring in wirings(motif)):
        yield f"population {p.name!r}: an error population is driven by its objective alone; remove the soma projection"
