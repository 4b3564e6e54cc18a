"""Transcribe the plans of a replica into a description of a Brian2 network."""

from __future__ import annotations

from circuitsim.export.brian2.cycles import WEIGHT, Cycle, cycles_of
from circuitsim.export.brian2.parts import Group
from circuitsim.export.brian2.populations import make_group, transcribe_population, transcribe_states
from circuitsim.export.brian2.projections import make_wiring, transcribe_current, transcribe_rules, transcribe_tie
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.schedule import PHASE_SIGNALS, SIGNALS
from circuitsim.export.brian2.spelling import of_neuron, of_synapse
from circuitsim.export.brian2.transcript import Transcript


def transcribe(replica: Replica) -> Transcript:
    """Describe everything that happens in a tick: all phases, each in the order of its plan, then ties between weights.

    Raises:
        CircuitError: two Brian2 objects, or two variables of one object, would have the same name.
    """
    t, cycles, motif = Transcript(), cycles_of(replica.motif, replica.plans), replica.motif
    of_phase = PHASE_SIGNALS if len(cycles) > 1 else PHASE_SIGNALS[:-1]
    signals = [*SIGNALS, *(name + cycle.suffix for cycle in cycles for name in of_phase)]
    signals += [f"signal_{signal.name}" for signal in motif.signals if signal.is_given]
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
        if p.name in t.wirings and p.tied_to is not None:
            transcribe_tie(t, p, replica)
    return t


def _keep_remembered(t: Transcript, replica: Replica, cycle: Cycle) -> None:
    """Copy weights and states, as earlier phases left them, into the phase's own variables when its passes begin."""
    starts = f"starts{cycle.suffix}"
    owners = {p.name: (p.name, "") for p in replica.motif.populations}
    owners |= {p.name: (p.post, "_post") for p in replica.motif.projections if p.name in t.wirings}
    for owner, (group, end) in owners.items():
        spelled = of_synapse if end else of_neuron
        remembered = [*map(spelled, replica.states[owner]), *([WEIGHT] if owner in cycle.changing else [])]
        for name in remembered:
            t.parts[owner].declare(name + cycle.suffix, t.parts[owner].variables[name])
            t.link_to_batch(group, starts)
        own = [name + cycle.suffix for name in remembered]
        t.run(owner, *(f"{k} = where({starts}{end}, {name}, {k})" for k, name in zip(own, remembered, strict=True)))


def _transcribe_cycle(t: Transcript, replica: Replica, cycle: Cycle) -> None:
    """Transcribe both sweeps, then dendritic currents, rules and states."""
    plan = cycle.plan
    for population in plan.populations.values():
        for name in population.soma:
            transcribe_current(t, cycle, plan.projections[name])
        transcribe_population(t, replica, cycle, population)
    for p in plan.projections.values():
        if p.compartment == "dendrite":
            transcribe_current(t, cycle, p)
    for p in plan.projections.values():
        if p.name in t.wirings:
            transcribe_rules(t, replica, cycle, p)
    for population in plan.populations.values():
        transcribe_states(t, replica, cycle, population)
    if cycle.suffix:
        for name in plan.outputs:  # a later phase may overwrite the activity that the loss reads
            t.groups[name].declare(f"activity{cycle.suffix}")
            t.run(name, f"activity{cycle.suffix} = activity")
