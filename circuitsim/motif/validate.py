"""Validation of a motif in one pass. Each check is a generator of messages that name the faulty object."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from circuitsim.motif import expressions
from circuitsim.motif.arrays import is_frame
from circuitsim.motif.checks import Faults, is_finite, is_number, is_whole, must, parse_faults, shape, title
from circuitsim.motif.declarations import Declarations, memoized, population_of, projection_of
from circuitsim.motif.expressions import expressions_of
from circuitsim.motif.field_faults import population_fields, projection_fields
from circuitsim.motif.identifiers import identifier_fault, part_fault
from circuitsim.motif.objective import LOSSES
from circuitsim.motif.phase import APPLY, CYCLE, TIME, Phase
from circuitsim.motif.population import Population, gates_of
from circuitsim.motif.projection import Projection
from circuitsim.motif.state import State
from circuitsim.motif.synapse_faults import synapse_faults
from circuitsim.motif.value import Value
from circuitsim.motif.wiring import (
    Wiring,
    driven_populations,
    error_populations,
    inputs_of,
    labels_of,
    sequences_of,
    wirings,
)
from circuitsim.rules.vocabulary import SUMS, local

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
        if signal.name in (*expressions.NEURON_NAMES, expressions.SPIKE)
    ]
    if not motif.populations:
        found.append(f"motif {motif.name!r} has no population; add one with motif.add(Population(name, size))")
    for signal in motif.signals:
        table = {"expression": (isinstance(signal.expression, str | None), "a string or None")}
        found += must(f"signal {signal.name!r}: ", signal, table)
    sound: set[str] = set()
    for population in motif.populations:
        wrong = list(population_fields(population))
        found += wrong
        if not wrong:
            sound.add(population.name)
    found += _endpoints(motif)
    for population in motif.populations:
        if population.name in sound:
            found += _population(motif, population, sound)
    for projection in motif.projections:
        wrong = list(projection_fields(projection))
        found += wrong or _projection(motif, projection, sound)
    for signal in motif.signals:
        if isinstance(signal.expression, str) and len(sound) == len(motif.populations):
            found += parse_faults(expressions.parse_signal, motif, signal)
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


def _population(motif: Declarations, population: Population, sound: set[str]) -> Faults:
    yield from parse_faults(expressions.parse_activation, motif, population)
    yield from parse_faults(expressions.parse_trace, motif, population)
    for gate in gates_of(population):
        if gate in sound and (size := motif.population(gate).size) != population.size:
            yield (
                f"population {population.name!r} of size {population.size}: gated by {gate!r} of size {size}; the "
                "sizes must be equal"
            )
    yield from _drive(motif, population)
    yield from _source(motif, population, sound)
    for name in population.state:
        if name in {signal.name for signal in motif.signals}:
            yield f"population {population.name!r}: state {name!r} has the name of a signal; rename one"
    for name in population.state:
        yield from parse_faults(expressions.parse_neuron_state, motif, population, name)


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
    if p.stream == "descending" and expressions.reads_drive(motif, p) and not has_drive:
        yield (
            f"population {p.name!r}: nothing drives it; a descending population needs a soma projection onto it "
            "or an Objective whose error it is"
        )
    if is_error and any(wiring.phase.errors and wiring.soma_onto[p.name] for wiring in wirings(motif)):
        yield f"population {p.name!r}: an error population is driven by its objective alone; remove the soma projection"


def _projection(motif: Declarations, p: Projection, sound: set[str]) -> Faults:
    if not {p.pre, p.post} <= sound:
        return
    yield from synapse_faults(motif, p, sound)
    yield from _parameters(motif, p)
    if p.rule is not None or p.state:
        yield from _ambiguous_names(motif, p)
    if p.rule is not None:
        yield from parse_faults(expressions.parse_rule, motif, p)
    for name in p.state:
        yield from parse_faults(expressions.parse_synapse_state, motif, p, name)


def _ambiguous_names(motif: Declarations, p: Projection) -> Faults:
    """Yield the names, such as ``theta_post``, that would stand for two things in the projection's expressions."""
    owners = [(f"{name}_pre", f"state {name!r} of population {p.pre!r}") for name in motif.population(p.pre).state]
    owners += [(f"{name}_post", f"state {name!r} of population {p.post!r}") for name in motif.population(p.post).state]
    owners += [(name, f"state {name!r} of its synapses") for name in p.state]
    owners += [(signal.name, f"signal {signal.name!r}") for signal in motif.signals]
    first: dict[str, str] = {}
    for name, owner in owners:
        if (other := first.setdefault(name, owner)) != owner:
            yield f"projection {p.name!r}: {name!r} in its expressions would be {other} and {owner}; rename one"


def _parameters(motif: Declarations, p: Projection) -> Faults:
    for name, value in p.rule.parameters.items() if p.rule is not None else ():
        owner = f"projection {p.name!r}: rule parameter {name!r}"
        if fault := identifier_fault(name):
            yield f"{owner}: {fault}"
        if is_frame(value):
            yield f"{owner} is a data frame with names; use frame.to_numpy(), in the order of the neurons"
        elif not (isinstance(value, float | np.ndarray) and np.asarray(value).dtype == float and is_finite(value)):
            yield f"{owner} must be finite numbers (got {value!r})"
        elif len(given := np.shape(value)) > 2 or (len(given) == 2 and given != shape(motif, p)):
            yield f"{owner} has shape {given}; needs a number, [replica], or [post, pre] = {shape(motif, p)}"


def _objectives(motif: Declarations, sound: set[str]) -> Faults:
    for name, count in Counter(o.error for o in motif.objectives).items():
        if count > 1:
            yield f"population {name!r} is the error of {count} objectives; give each its own"
    for o in motif.objectives:
        yield from must(f"{title(o)}: ", o, {"loss": (o.loss in LOSSES, f"one of {LOSSES}")})
        if not {o.output, o.error} <= sound:
            continue
        output, error = motif.population(o.output), motif.population(o.error)
        if output.size != error.size:
            yield f"{title(o)}: output size {output.size} is not error size {error.size}"
        if o.loss == "cross_entropy" and output.size < 2:
            yield f"{title(o)}: cross_entropy needs at least 2 outputs (got {output.size})"
        if error.stream != "descending":
            yield f"{title(o)}: error population must be of the descending stream (got {error.stream!r})"


# -- phases, in a motif that is otherwise valid

# The label, text and parsed form of one expression of a projection, and the names of currents and of sums in it.
Parsed = tuple[str, str, sympy.Expr, tuple[str, ...], tuple[str, ...]]


def phase_faults(motif: Declarations, wiring: Wiring) -> Faults:
    """Yield the unknown names of a phase, and the currents that projections read but that it does not deliver."""
    phase = wiring.phase
    table = {
        "repeat": (phase.repeat == TIME or is_whole(phase.repeat, 1), f"a whole number, 1 or more, or {TIME!r}"),
        "apply": (phase.apply in APPLY, f"one of {APPLY}"),
    }
    yield from must(f"phase {phase.name!r}: ", phase, table)
    yield from _unknown_names(motif, phase)
    owner = f"phase {phase.name!r}: " if motif.phases[0] is not CYCLE else ""
    for p in wiring.projections.values():
        if phase.changes(p.name):
            yield from (owner + fault for fault in _currents(wiring, p, _parsed(motif, p)))


def apply_faults(motif: Declarations) -> Faults:
    """Yield the projections whose changes some phases make at their end, and others at the end of the step."""
    for p in motif.projections:
        changing = [phase for phase in motif.phases if p.is_plastic and phase.changes(p.name)]
        late, early = ([f.name for f in changing if (f.apply == "step") == is_late] for is_late in (True, False))
        if late and early:
            yield (
                f"projection {p.name!r} changes in phase {early[0]!r}, and by phase {late[0]!r} at the end of the "
                "step; give both apply='step' or neither, or say with plastic=[...] what each of them changes"
            )


def time_faults(motif: Declarations) -> Faults:
    """Yield the fault of a phase over time where no input can be a sequence."""
    over_time = [phase for phase in motif.phases if phase.repeat == TIME]
    if over_time and not sequences_of(motif):
        yield (
            f"phase {over_time[0].name!r}: repeat is {TIME!r}, but no input can be a sequence: each is read by a phase "
            f"without repeat={TIME!r}, or by none; say with inputs=[...] which inputs each phase reads"
        )


def _unknown_names(motif: Declarations, phase: Phase) -> Faults:
    owner = f"phase {phase.name!r}"
    populations, projections = population_of(motif).keys(), projection_of(motif).keys()
    for field, names, known in (
        ("soma", phase.soma or (), projections),
        ("plastic", phase.plastic or (), projections | populations),
        ("inputs", phase.inputs or (), inputs_of(motif) | labels_of(motif).keys()),
        ("noise", phase.noise, populations),
    ):
        for name in names:
            if not (isinstance(name, str) and name in known):
                yield f"{owner}: {field} names unknown {name!r} (known: {', '.join(sorted(known))})"
    for kind, numbers in (("gain", phase.soma or {}), ("noise", phase.noise)):
        for name, value in numbers.items():
            if not is_number(value) or (kind == "noise" and value < 0):
                least = ", 0 or more" if kind == "noise" else ""
                yield f"{owner}: the {kind} of {name!r} must be a finite number{least} (got {value!r})"


@memoized
def _parsed(motif: Declarations, p: Projection) -> list[Parsed]:
    expressions, found = expressions_of(motif), []
    named = [("rule", p.rule.expression, expressions.rule[p.name])] if p.rule is not None else []
    named += [(f"state {s!r}", p.state[s].expression, expressions.synapse_state[p.name, s]) for s in p.state]
    for what, text, expression in named:
        names = sorted(symbol.name for symbol in expression.free_symbols)
        currents = tuple(name for name in names if name.startswith("I_"))
        found.append((what, text, expression, currents, tuple(name for name in names if name in SUMS)))
    return found


def _currents(wiring: Wiring, p: Projection, parsed: list[Parsed]) -> Faults:
    for what, text, expression, currents, sums in parsed:
        owner = f"projection {p.name!r}: {what}"
        delivered = [f"I_{name}" for name in wiring.onto(p.post)] if currents else []
        for name in currents:
            if name not in delivered:
                place = re.search(rf"\b{name}\b", text)
                yield (
                    f"{owner} names {name}, which does not reach population {p.post!r} "
                    f"(known: {', '.join(delivered) or 'none'})" + (f" at column {place.start() + 1}" if place else "")
                )
        summed = {"dendrite_post": wiring.dendrite_onto[p.post], "hetero": wiring.onto(p.post)}
        empty = [name for name in sums if not set(summed[name]) - {p.name}]
        nothing = dict.fromkeys(map(local, empty), sympy.Integer(0))
        if empty and expression.xreplace(nothing).has(sympy.zoo, sympy.nan, sympy.oo):
            yield f"{owner} divides by {' and '.join(empty)}, which is 0 because no other current reaches {p.post!r}"
