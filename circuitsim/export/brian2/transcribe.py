"""Transcribe the plans of a replica into a network of rates, in which one time step processes one sample."""

from __future__ import annotations

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.feeding import SIGNALS, TICK_MS, signals
from circuitsim.export.brian2.language import of_neuron, of_synapse
from circuitsim.export.brian2.populations import make_group, transcribe_population, transcribe_states
from circuitsim.export.brian2.projections import make_wires, transcribe_current, transcribe_rules, transcribe_tie
from circuitsim.export.brian2.replica import WEIGHT, Cycle, Replica


def transcribe(replica: Replica) -> Blueprint:
    """Describe everything that happens in a tick: all phases, each in the order of its plan, then ties between weights.

    Raises:
        CircuitError: two Brian2 objects, or two variables of one object, would have the same name.
    """
    cycles, motif = replica.cycles, replica.motif
    arrays = [f"signal_{signal.name}" for signal in motif.signals]
    for name in replica.plan.populations:
        arrays += [f"input_{name}", f"target_{name}", *(f"noise_{name}{cycle.suffix}" for cycle in cycles)]
    said = {name: SIGNALS[name.split("_")[0]] for name in signals(1, {cycle.suffix: 1 for cycle in cycles})}
    said |= dict.fromkeys(arrays, "")
    t = Blueprint(motif.name, TICK_MS, plays={name: (TICK_MS, about) for name, about in said.items()})
    for population in replica.plan.populations.values():
        t.add(make_group(population, replica))
    for p in motif.projections:
        if replica.masks[p.name].any():
            t.add(make_wires(p, replica))
    for cycle in cycles:
        if len(cycles) > 1:
            _keep_remembered(t, cycle)
        _transcribe_cycle(t, cycle)
    for p in motif.projections:
        if p.name in t.wires and p.tied_to is not None:
            transcribe_tie(t, p, replica)
    return t


def _keep_remembered(t: Blueprint, cycle: Cycle) -> None:
    """Copy weights and states, as earlier phases left them, into the phase's own variables when its passes begin."""
    starts, states = f"starts{cycle.suffix}(t)", cycle.replica.states
    for owner in (name for name in states if name in t.parts):
        part, spelled = t.parts[owner], of_synapse if owner in t.wires else of_neuron
        remembered = [*map(spelled, states[owner]), *([WEIGHT] if owner in cycle.changing else [])]
        for name in remembered:
            part.declare(name + cycle.suffix, part.variables[name])
        own = [name + cycle.suffix for name in remembered]
        t.run(owner, *(f"{k} = where({starts}, {name}, {k})" for k, name in zip(own, remembered, strict=True)))


def _transcribe_cycle(t: Blueprint, cycle: Cycle) -> None:
    """Transcribe both sweeps, then dendritic currents, rules and states."""
    plan = cycle.plan
    for population in plan.populations.values():
        for name in population.soma:
            transcribe_current(t, cycle, plan.projections[name])
        transcribe_population(t, cycle, population)
    for p in plan.projections.values():
        if p.compartment == "dendrite":
            transcribe_current(t, cycle, p)
    for p in plan.projections.values():
        if p.name in t.wires:
            transcribe_rules(t, cycle, p)
    for population in plan.populations.values():
        transcribe_states(t, cycle, population)
    if cycle.suffix:
        for name in plan.outputs:  # a later phase may overwrite the activity that the loss reads
            t.neurons[name].declare(f"activity{cycle.suffix}")
            t.run(name, f"activity{cycle.suffix} = activity")
