"""Validation of a motif in one pass. Each check is a generator of messages that name the faulty object."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuitsim.motif.checks import Faults, parse_faults, title
from circuitsim.motif.declarations import Declarations, population_of
from circuitsim.motif.expressions import NEURON_NAMES, SPIKE, parse_signal
from circuitsim.motif.identifiers import identifier_fault, part_fault
from circuitsim.motif.objective import LOSSES, Objective
from circuitsim.motif.phase import Phase
from circuitsim.motif.phase_faults import apply_faults, phase_faults, time_faults
from circuitsim.motif.population import Population, gates_of
from circuitsim.motif.population_faults import population_fields, population_meaning
from circuitsim.motif.projection import Projection
from circuitsim.motif.projection_faults import projection_fields, projection_meaning
from circuitsim.motif.state import State
from circuitsim.motif.value import Value
from circuitsim.motif.wiring import inputs_of, wirings

SINGLE = re.compile(r"(str|bool|int|float|None)( \| (str|bool|int|float|None))*")  # the type of a field without arrays


def faults(motif: Declarations) -> list[str]:
    """Return all faults of the motif, an empty list if it is valid.

    References to a faulty object are not checked against that object.
    """
    found = list(_references(motif))
    if found:
        return found  # objects cannot be looked up by names that are not strings, nor read what is no state
    found = [*_name_faults("population", motif.populations), *_name_faults("projection", motif.projections)]
    found += [*_name_faults("signal", motif.signals), *_name_faults("phase", motif.phases)]
    found += [
        f"signal {signal.name!r} has the name of a quantity of every neuron; rename it"
        for signal in motif.signals
        if signal.name in (*NEURON_NAMES, SPIKE)
    ]
    if not motif.populations:
        found.append(f"motif {motif.name!r} has no population; add one with motif.add(Population(name, size))")
    for signal in motif.signals:
        if not isinstance(signal.expression, str | None):
            found.append(f"signal {signal.name!r}: expression must be a string or None (got {signal.expression!r})")
    sound: set[str] = set()
    for population in motif.populations:
        wrong = list(population_fields(population))
        found += wrong
        if not wrong:
            sound.add(population.name)
    found += _endpoints(motif)
    for population in motif.populations:
        if population.name in sound:
            found += population_meaning(motif, population, sound)
    for projection in motif.projections:
        wrong = list(projection_fields(projection))
        found += wrong or projection_meaning(motif, projection, sound)
    for signal in motif.signals:
        if isinstance(signal.expression, str) and len(sound) == len(motif.populations):
            found += parse_faults(functools.partial(parse_signal, motif, signal))
    found += _objectives(motif, sound)
    found += _circuit_faults(motif)
    if not found:  # phases can only be checked in an otherwise valid motif
        for wiring in wirings(motif):
            found += phase_faults(motif, wiring)
        found = found or [*apply_faults(motif), *time_faults(motif)]
        if not any(phase.inputs is None or inputs_of(motif).intersection(phase.inputs) for phase in motif.phases):
            known = ", ".join(sorted(inputs_of(motif)))
            found.append(f"motif {motif.name!r}: no phase receives an input ({known}); list one in a phase's inputs")
    return found


def _references(motif: Declarations) -> Faults:
    if not isinstance(motif.name, str):
        yield f"motif: name must be a string (got {motif.name!r})"
    for kind, values, names in (
        ("population", motif.populations, ("name",)),
        ("projection", motif.projections, ("name", "pre", "post")),
        ("objective", motif.objectives, ("output", "error", "loss")),
        ("signal", motif.signals, ("name",)),
        ("phase", motif.phases, ("name",)),
    ):
        for value in values:
            for field in names:
                if not isinstance(getattr(value, field), str):
                    yield f"{kind}: {field} must be a string (got {getattr(value, field)!r})"
    for kind, owners in (("population", motif.populations), ("projection", motif.projections)):
        for owner in owners:
            for name, state in owner.state.items():
                if not isinstance(state, State):
                    yield f"{kind} {owner.name!r}: state {name!r} must be an update or a State (got {state!r})"
            for part in vars(owner).values():  # such as ReciprocalOf(projection)
                for field in part.name_fields if isinstance(part, Value) else ():
                    if not isinstance(getattr(part, field), str):
                        what = f"{type(part).__name__} needs the name of a {field}"
                        yield f"{kind} {owner.name!r}: {what} (got {getattr(part, field)!r})"
    for value in motif.values:
        of = getattr(value, "name", None) or getattr(value, "output", None)
        for field, given in _arrays(value):
            yield f"{type(value).__name__.lower()} {of!r}: {field} must be a single value (got {given!r})"


def _arrays(value: Value) -> Iterator[tuple[str, Any]]:
    """Yield the fields that hold an array where one word, number or flag belongs, also those of parts."""
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if isinstance(given, Value):
            yield from ((f"{field.name}: {name}", array) for name, array in _arrays(given))
        elif SINGLE.fullmatch(str(field.type)) and hasattr(given, "__array__") and np.ndim(given):
            yield field.name, given


def _circuit_faults(motif: Declarations) -> Faults:
    for wiring in wirings(motif):
        if wiring.cycle is not None:
            where = f"motif {motif.name!r}" + (f", phase {wiring.phase.name!r}" if len(motif.phases) > 1 else "")
            closed = "which only a projection with delay=1 can close"
            yield f"{where}: soma projections, gates and objectives form a cycle, {closed}: {wiring.cycle}"
    if motif.populations and not inputs_of(motif):
        yield f"motif {motif.name!r} has no input: an ascending population with no soma projection onto it and no noise"


def _name_faults(kind: str, values: tuple[Any, ...]) -> Faults:
    for name, count in Counter(value.name for value in values).items():
        if count > 1:
            yield f"{kind} {name!r}: duplicate name, declared {count} times"
    for value in values:
        if isinstance(value, Population | Projection):
            fault = part_fault(value.name, type(value).__name__)
        else:
            fault = part_fault(value.name) if isinstance(value, Phase) else identifier_fault(value.name)
        if fault is not None:
            yield f"{kind} {value.name!r}: {fault}"


def _endpoints(motif: Declarations) -> Faults:
    known = population_of(motif)
    ends = [(f"projection {p.name!r}", end, getattr(p, end)) for p in motif.projections for end in ("pre", "post")]
    ends += [(title(o), end, getattr(o, end)) for o in motif.objectives for end in ("output", "error")]
    ends += [(f"population {p.name!r}", "gate", gate) for p in motif.populations for gate in gates_of(p)]
    for owner, end, name in ends:
        if name not in known:
            yield f"{owner}: {end} names unknown population {name!r} (known: {', '.join(known)})"


def _objectives(motif: Declarations, sound: set[str]) -> Faults:
    for error, count in Counter(o.error for o in motif.objectives).items():
        if count > 1:
            yield f"population {error!r} is the error of {count} objectives; give each its own"
    for o in motif.objectives:
        if o.loss not in LOSSES:
            yield f"{title(o)}: loss must be one of {LOSSES} (got {o.loss!r})"
        if {o.output, o.error} <= sound:
            yield from _objective_sizes(motif, o)


def _objective_sizes(motif: Declarations, o: Objective) -> Faults:
    output, error = motif.population(o.output), motif.population(o.error)
    if output.size != error.size:
        yield f"{title(o)}: output size {output.size} is not error size {error.size}"
    if o.loss == "cross_entropy" and output.size < 2:
        yield f"{title(o)}: cross_entropy needs at least 2 outputs (got {output.size})"
    if error.stream != "descending":
        yield f"{title(o)}: error population must be of the descending stream (got {error.stream!r})"
