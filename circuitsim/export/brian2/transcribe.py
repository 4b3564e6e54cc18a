"""From a plan to its transcript."""

from __future__ import annotations

from circuitsim.export.brian2.parts import Group
from circuitsim.export.brian2.populations import make_group, transcribe_population, transcribe_states
from circuitsim.export.brian2.projections import make_wiring, transcribe_current, transcribe_rules, transcribe_tie
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.schedule import SIGNALS
from circuitsim.export.brian2.transcript import Transcript


def transcribe(replica: Replica) -> Transcript:
    """Everything that happens in a tick, in the order of the plan: both sweeps, dendrites, rules, states, ties.

    Raises:
        CircuitError: two Brian2 objects, or two variables of one, would have the same name.
    """
    plan, t = replica.plan, Transcript()
    signals = [*SIGNALS, *(f"signal_{name}" for name in plan.signals)]
    t.add(Group("batch", 1, shared=signals))
    t.run("batch", *(f"{name} = batch_{name}(t - start)" for name in signals))
    for population in plan.populations.values():
        t.add(make_group(population, replica))
    for p in plan.projections.values():
        if replica.masks[p.name].any():
            t.add(make_wiring(p, replica))
    present = [p for p in plan.projections.values() if p.name in t.wirings]
    for population in plan.populations.values():
        for name in population.soma:
            transcribe_current(t, plan, plan.projections[name])
        transcribe_population(t, replica, population)
    for p in plan.projections.values():
        if p.target == "dendrite":
            transcribe_current(t, plan, p)
    for p in present:
        transcribe_rules(t, plan, p)
    for population in plan.populations.values():
        transcribe_states(t, replica, population)
    for p in present:
        if p.derived is not None:
            transcribe_tie(t, p, replica)
    return t
