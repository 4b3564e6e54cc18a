"""From a plan to its transcript."""

from __future__ import annotations

from circuitsim.export.brian2.cycles import WEIGHT, Cycle, cycles_of
from circuitsim.export.brian2.parts import Group
from circuitsim.export.brian2.populations import make_group, transcribe_population, transcribe_states
from circuitsim.export.brian2.projections import make_wiring, transcribe_current, transcribe_rules, transcribe_tie
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.schedule import PHASE_SIGNALS, SIGNALS
from circuitsim.export.brian2.transcript import Transcript


def transcribe(replica: Replica) -> Transcript:
    """Everything that happens in a tick: each phase in the order of its plan, then ties between weights.

    Raises:
        CircuitError: two Brian2 objects, or two variables of one, would have the same name.
    """
    t, cycles, motif = Transcript(), cycles_of(replica.motif, replica.plans), replica.motif
    of_phase = PHASE_SIGNALS if len(cycles) > 1 else PHASE_SIGNALS[:-1]
    signals = [*SIGNALS, *(name + cycle.suffix for cycle in cycles for name in of_phase)]
    signals += [f"signal_{signal.name}" for signal in motif.signals]
    t.add(Group("batch", 1, shared=signals))
    t.run("batch", *(f"{name} = batch_{name}(t - start)" for name in signals))
    for population in replica.plan.populations.values():
        t.add(make_group(population, replica))
    for p in motif.projections:
        if replica.masks[p.name].any():
            t.add(make_wiring(p, replica))
    for cycle in cycles:
        if len(cycles) > 1:
            _keep_remembered(t, replica, cycle)
        _transcribe_cycle(t, replica, cycle)
    for p in motif.projections:
        if p.name in t.wirings and p.weight is not None:
            transcribe_tie(t, p, replica)
    return t


def _keep_remembered(t: Transcript, replica: Replica, cycle: Cycle) -> None:
    """What the phase finds is what the phases before have made of weights and states."""
    starts = f"starts{cycle.suffix}"
    owners = {p.name: (p.name, "") for p in replica.motif.populations}
    owners |= {p.name: (p.post, "_post") for p in replica.motif.projections if p.name in t.wirings}
    for owner, (group, end) in owners.items():
        remembered = [*replica.states[owner], *([WEIGHT] if owner in cycle.changing else [])]
        for name in remembered:
            t.parts[owner].declare(name + cycle.suffix, t.parts[owner].variables[name])
            t.link_to_batch(group, starts)
        own = [name + cycle.suffix for name in remembered]
        t.run(owner, *(f"{k} = where({starts}{end}, {name}, {k})" for k, name in zip(own, remembered, strict=True)))


def _transcribe_cycle(t: Transcript, replica: Replica, cycle: Cycle) -> None:
    """Both sweeps, dendrites, rules, states."""
    plan = cycle.plan
    for population in plan.populations.values():
        for name in population.soma:
            transcribe_current(t, cycle, plan.projections[name])
        transcribe_population(t, replica, cycle, population)
    for p in plan.projections.values():
        if p.target == "dendrite":
            transcribe_current(t, cycle, p)
    for p in plan.projections.values():
        if p.name in t.wirings:
            transcribe_rules(t, replica, cycle, p)
    for population in plan.populations.values():
        transcribe_states(t, replica, cycle, population)
    if cycle.suffix:
        for name in plan.outputs:  # a later phase may write over what the loss looks at
            t.groups[name].declare(f"activity{cycle.suffix}")
            t.run(name, f"activity{cycle.suffix} = activity")
