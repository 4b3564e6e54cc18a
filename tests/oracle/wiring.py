"""What drives what in each phase of a step, and where objectives are judged."""

from __future__ import annotations

from typing import Any

from tests.oracle.language import names_in
from tests.oracle.slopes import NAMED


def changes(phase: Any, name: str) -> bool:
    """Whether weights and states of that name may change in the phase."""
    return phase.plastic is None or name in phase.plastic


def compartments(motif: Any, phase: Any) -> dict[str, str]:
    """Where each projection delivers to in a phase, "soma" or "dendrite"; those that are silent are left out."""
    if phase.soma is None:
        return {p.name: p.compartment for p in motif.projections}
    found = {}
    for p in motif.projections:
        acts = p.tied_to is None and ((p.plastic and p.rule is not None) or p.state) and changes(phase, p.name)
        if p.name in phase.soma:
            found[p.name] = "soma"
        elif p.compartment == "dendrite" or acts:
            found[p.name] = "dendrite"
    return found


def driven(motif: Any, phase: Any) -> set[str]:
    """The populations that soma projections end on in a phase."""
    wired = compartments(motif, phase)
    return {p.post for p in motif.projections if wired.get(p.name) == "soma"}


def gates(population: Any) -> list[str]:
    """The populations that an activation reads."""
    activation = population.activation
    if not isinstance(activation, str):
        return [activation.population]
    if activation in NAMED:
        return []
    return [n.split("_", 1)[1] for n in sorted(names_in(activation)) if n.startswith(("activity_", "slope_"))]


def has_previous(population: Any) -> bool:
    """Whether an activation reads the population's own activity of the iteration before."""
    activation = population.activation
    return isinstance(activation, str) and activation not in NAMED and "previous" in names_in(activation)


def late_gates(motif: Any, phase: Any) -> set[tuple[str, str]]:
    """The gates (gate, population) that are read as the iteration before left them: those that would close a cycle with
    what drives the populations and with other gates, where gates on populations that are declared before their reader
    come first. In a step of one iteration, there are none.
    """
    if [f.repeat for f in motif.phases] == [1]:
        return set()
    wired, found = compartments(motif, phase), set()
    after: dict[str, set[str]] = {p.name: set() for p in motif.populations}
    for p in motif.projections:
        if wired.get(p.name) == "soma" and not p.delay:
            after[p.pre].add(p.post)
    for o in motif.objectives if phase.errors else ():
        after[o.output].add(o.error)

    def reach(name: str) -> set[str]:
        seen, waiting = {name}, [name]
        while waiting:
            new = after[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    names = [p.name for p in motif.populations]
    pairs = [(gate, p.name) for p in motif.populations for gate in gates(p)]
    for gate, name in sorted(pairs, key=lambda pair: names.index(pair[0]) >= names.index(pair[1])):
        if gate in reach(name):
            found.add((gate, name))
        else:
            after[gate].add(name)
    return found


def reads_drive(population: Any) -> bool:
    """Whether the activity depends on the soma input."""
    activation = population.activation
    if not isinstance(activation, str):
        return True
    return activation != "one" if activation in NAMED else "drive" in names_in(activation)


def target_of(motif: Any, population: Any) -> Any:
    """The objective whose target drives a population, or None."""
    if population.source is None:
        return None
    output = population.source.removeprefix("target").removeprefix(":")
    return next(o for o in motif.objectives if output in ("", o.output))


def input_names(motif: Any) -> list[str]:
    """Ascending populations that read a drive which no soma projection gives, in any phase, and that have no noise."""
    others = set().union(*(driven(motif, phase) | set(phase.noise) for phase in motif.phases))
    given = [p for p in motif.populations if p.stream == "ascending" and reads_drive(p) and p.source is None]
    return [p.name for p in given if p.name not in others]


def sequences(motif: Any) -> list[str]:
    """The inputs that may have an axis of time: nothing but phases over time reads them."""
    found = []
    for name in input_names(motif):
        readers = [phase for phase in motif.phases if phase.inputs is None or name in phase.inputs]
        found += [name] if readers and all(phase.repeat == "time" for phase in readers) else []
    return found


def judged_over_time(motif: Any) -> bool:
    """Whether targets may have an axis of time."""
    judging = [phase for phase in motif.phases if phase.errors]
    return bool(judging) and all(phase.repeat == "time" for phase in judging)


def role(motif: Any, phase: Any, population: Any) -> str:
    """What gives a population its drive in a phase: "input", "target", "error", "soma", "nothing", or it is "kept"."""
    name = population.name
    if name in input_names(motif):
        return "input" if phase.inputs is None or name in phase.inputs else "kept"
    if population.source is not None:
        return "target" if phase.inputs is None or name in phase.inputs else "kept"
    if phase.errors and any(o.error == name for o in motif.objectives):
        return "error"
    if name in driven(motif, phase):
        return "soma"
    return "nothing" if name in phase.noise or not reads_drive(population) else "kept"


def drives(motif: Any, phase: Any, name: str) -> bool:
    """Whether the population is computed in the phase, and not kept."""
    return role(motif, phase, next(p for p in motif.populations if p.name == name)) != "kept"


def judged_in(motif: Any, objective: Any) -> str | None:
    """The phase whose loss counts: the first with errors that drives it; else that finds it driven."""
    judging = [k for k, phase in enumerate(motif.phases) if phase.errors]
    found = [k for k, phase in enumerate(motif.phases) if drives(motif, phase, objective.output)]
    at_hand = [k for k in judging if k in found] or [k for k in judging if found and found[0] < k] or judging
    return motif.phases[at_hand[0]].name if at_hand else None


def predicted_in(motif: Any, name: str) -> str:
    """The phase at whose end a population is predicted."""
    phases = [phase.name for phase in motif.phases]
    judged = {o.output: phase for o in motif.objectives if (phase := judged_in(motif, o)) is not None}
    if name in judged:
        return judged[name]
    if not judged:
        return phases[-1]
    last = max(phases.index(phase) for phase in judged.values())
    found = [k for k, phase in enumerate(motif.phases) if drives(motif, phase, name)]
    return phases[last if not found or found[0] <= last else found[0]]
