"""Every fault of a declaration, in one pass. Each check is a generator of messages that name the object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from circuitsim.motif.checks import Faults, is_number, title
from circuitsim.motif.objective import LOSSES, Objective
from circuitsim.motif.phase import Phase, in_phase
from circuitsim.motif.population_faults import population_fields, population_meaning
from circuitsim.motif.projection_faults import projection_fields, projection_meaning, projection_rules
from circuitsim.motif.roles import is_input
from circuitsim.motif.sweep_order import find_cycle, gates_of

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif


def faults(motif: Motif) -> list[str]:
    """All faults of the motif; empty if it is sound. What refers to a faulty object is not checked against it."""
    found = list(_references(motif))
    if found:
        return found  # nothing can be looked up by a name that is not a string
    found = [*_name_faults("population", motif.populations), *_name_faults("projection", motif.projections)]
    found += [*_name_faults("signal", motif.signals), *_name_faults("phase", motif.phases)]
    if not motif.populations:
        found.append(f"motif {motif.name!r} has no population; add one with motif.add(Population(name, size))")
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
    found += _objectives(motif, sound)
    found += _whole(motif)
    if not found:  # a phase is a rewiring of what is sound
        for phase in motif.phases:
            found += _phase(motif, phase)
        if all(phase.inputs == () for phase in motif.phases):
            found.append(f"motif {motif.name!r}: no phase lets an input in (each has inputs=[]); one must")
    return found


def _references(motif: Motif) -> Faults:
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


def _whole(motif: Motif) -> Faults:
    for phase in motif.phases:
        cycle = find_cycle(in_phase(motif, phase), phase.errors)
        if cycle:
            where = f"motif {motif.name!r}" + (f", phase {phase.name!r}" if len(motif.phases) > 1 else "")
            yield f"{where}: soma projections, gates and objectives form a cycle: {cycle}"
    if motif.populations and not any(is_input(motif, p) for p in motif.populations):
        yield f"motif {motif.name!r} has no input: an ascending population with no soma projection onto it"


def _name_faults(kind: str, values: tuple[Any, ...]) -> Faults:
    for name, count in Counter(value.name for value in values).items():
        if count > 1:
            yield f"{kind} {name!r}: duplicate name, declared {count} times"
    for value in values:
        if not value.name.isidentifier():
            yield f"{kind} {value.name!r}: a name must be an identifier (letters, digits, _), since rules use it"


def _endpoints(motif: Motif) -> Faults:
    known = [p.name for p in motif.populations]
    ends = [(f"projection {p.name!r}", end, getattr(p, end)) for p in motif.projections for end in ("pre", "post")]
    ends += [(title(o), end, getattr(o, end)) for o in motif.objectives for end in ("output", "error")]
    ends += [(f"population {p.name!r}", "gate", gate) for p in motif.populations for gate in gates_of(p)]
    for owner, end, name in ends:
        if name not in known:
            yield f"{owner}: {end} names unknown population {name!r} (known: {', '.join(map(str, known))})"


def _objectives(motif: Motif, sound: set[str]) -> Faults:
    for error, count in Counter(o.error for o in motif.objectives).items():
        if count > 1:
            yield f"population {error!r} is the error of {count} objectives; give each its own"
    for o in motif.objectives:
        if o.loss not in LOSSES:
            yield f"{title(o)}: loss must be one of {LOSSES} (got {o.loss!r})"
        if {o.output, o.error} <= sound:
            yield from _objective_sizes(motif, o)


def _objective_sizes(motif: Motif, o: Objective) -> Faults:
    output, error = motif.population(o.output), motif.population(o.error)
    if output.size != error.size:
        yield f"{title(o)}: output size {output.size} is not error size {error.size}"
    if o.loss == "cross_entropy" and output.size < 2:
        yield f"{title(o)}: cross_entropy needs at least 2 outputs (got {output.size})"
    if error.stream != "descending":
        yield f"{title(o)}: error population must be of the descending stream (got {error.stream!r})"


def _phase(motif: Motif, phase: Phase) -> Faults:
    owner = f"phase {phase.name!r}"
    populations = {p.name for p in motif.populations}
    projections = {p.name for p in motif.projections}
    inputs = {p.name for p in motif.populations if is_input(motif, p)}
    for field, names, known in (
        ("soma", phase.soma or (), projections),
        ("plastic", phase.plastic or (), projections | populations),
        ("inputs", phase.inputs or (), inputs),
        ("noise", phase.noise, populations),
    ):
        for name in names:
            if isinstance(name, str) and name in known:
                continue
            yield f"{owner}: {field} names unknown {name!r} (known: {', '.join(sorted(known))})"
    for kind, numbers in (("gain", phase.soma or {}), ("noise", phase.noise)):
        for name, value in numbers.items():
            if not is_number(value) or (kind == "noise" and value < 0):
                yield f"{owner}: the {kind} of {name!r} must be a finite number, not negative for noise (got {value!r})"
    view = in_phase(motif, phase)
    for p in view.projections:
        if phase.changes(p.name):
            yield from (f"{owner}: {fault}" for fault in projection_rules(view, p))
