"""Transcription of populations: one group each, with activity, slope, trace, error and states, in sweep order."""

from __future__ import annotations

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import of_neuron, text
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.export.brian2.reductions import computed_signals, link_mean, take_reductions
from circuitsim.export.brian2.replica import Cycle, Replica
from circuitsim.export.brian2.updates import Update, run_updates
from circuitsim.motif import Objective
from circuitsim.plan import PopulationPlan
from circuitsim.plan.quantities import neuron, signal

# Minus the gradient of one sample's loss. Brian2 has no maximum over neurons, so the softmax is computed as
# 1 / sum_j exp(y_j - y_i); where the sum overflows, it is correctly 0.
ERRORS = {
    "cross_entropy": "target - 1.0/normaliser",
    "mse": "target - output",
    "bce": "target - 1.0/(1.0 + exp(-output))",
}

QUANTITIES = ("drive", "activity", "slope")


def make_group(p: PopulationPlan, replica: Replica) -> Neurons:
    """Make the group of a population, with its states."""
    group = Neurons(p.name, p.size)
    for name in quantities_of(p):
        group.declare(name)
    for name, start in replica.states[p.name].items():
        group.declare(of_neuron(name), start)
    return group


def quantities_of(p: PopulationPlan) -> list[str]:
    """The variables that a cycle computes and that later phases can read."""
    own = {"drive": True, "activity": True, "slope": p.computes_slope, "trace": p.computes_trace}
    return [name for name, is_computed in own.items() if is_computed]


def seen(p: PopulationPlan) -> str:
    """The variable that rules and dendrites see of a population."""
    return "trace" if p.computes_trace else "activity"


def transcribe_population(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> None:
    """Transcribe a population's drive, activity, slope and trace. A population that nothing drives keeps its values
    from an earlier phase, or is 0 if there are none."""
    if p.source == "kept":
        if cycle.plan is cycle.replica.plan:
            t.run(p.name, *(f"{name} = 0.0" for name in quantities_of(p)))
        return
    names = _names(t, cycle, p)
    noise = f" + {p.noise!r}*noise_{p.name}{cycle.suffix}(t, i)" if p.noise else ""
    t.run(p.name, *_drive(t, cycle, p))
    computed = [p.activity, p.slope] if p.computes_slope else [p.activity]
    activity, *slope = take_reductions(t, p.name, computed, names, cycle.suffix)
    t.run(p.name, f"activity = {text(activity, names)}{noise}", *(f"slope = {text(e, names)}" for e in slope))
    if p.computes_trace:
        (trace,) = take_reductions(t, p.name, [p.trace], names, cycle.suffix)
        t.run(p.name, f"trace = {text(trace, names)}")


def transcribe_states(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> None:
    """Transcribe the updates of a population's states, each to the batch mean of its expression."""
    names, signals = _names(t, cycle, p), computed_signals(t, cycle) if p.states else {}
    names |= {mean: link_mean(t, mean, p.name) for e in signals.values() for mean in e.free_symbols}
    changed = (update.xreplace(signals) for update in p.states.values())
    taken = take_reductions(t, p.name, changed, names, cycle.suffix)
    updates = [Update(of_neuron(k), text(e, names)) for k, e in zip(p.states, taken, strict=True)]
    run_updates(t, p.name, updates, cycle.suffix)


def _names(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> dict[sympy.Expr, str]:
    """The Brian2 names that a population's expressions read: its own variables, and linked ones of gating populations
    and of signals."""
    names: dict[sympy.Expr, str] = {neuron(kind, p.name): kind for kind in QUANTITIES}
    names |= {neuron(k, p.name): of_neuron(k) + cycle.suffix for k in cycle.replica.states[p.name]}
    read = set().union(*(e.free_symbols for e in (p.activity, p.slope, *p.states.values())))
    for gate in cycle.plan.populations:
        for kind in QUANTITIES:
            if (symbol := neuron(kind, gate)) in read - set(names):
                names[symbol] = f"{kind}_{gate}"
                t.neurons[p.name].link(names[symbol], gate, kind)
    return names | {signal(given): f"signal_{given}(t)" for given in cycle.plan.signals}


def _drive(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> list[str]:
    plan = cycle.plan
    match p.source:
        case "input":
            return [f"drive = input_{p.name}(t, i)"]
        case "target":
            assert p.target is not None
            return [f"drive = target_{p.target.output}(t, i)"]
        case "error":
            return _error(t, p, next(o for o in plan.objectives if o.error == p.name), cycle.suffix)
        case "soma":
            gains = {cycle.current(name): plan.projections[name].gain for name in p.soma}
            return ["drive = " + " + ".join(k if gain == 1 else f"{gain!r}*{k}" for k, gain in gains.items())]
    return ["drive = 0.0"]


def _error(t: Blueprint, p: PopulationPlan, objective: Objective, suffix: str) -> list[str]:
    """The error of this sample, or if shuffled of the previous one (for the first, the last of the previous pass)."""
    group, error = t.neurons[p.name], f"error{suffix}"
    group.declare(error)
    if "target" not in group.variables:
        group.declare("target")
    group.link("output", objective.output, "activity")
    if objective.loss == "cross_entropy":
        add_softmax(t, f"{p.name}_softmax{suffix}", objective, f"normaliser{suffix}_post", "activity")
    minus_gradient = ERRORS[objective.loss].replace("normaliser", f"normaliser{suffix}")
    fresh = [f"target = target_{objective.output}(t, i)", f"{error} = {minus_gradient}"]
    return [f"drive = {error}", *fresh] if objective.shuffled else [*fresh, f"drive = {error}"]


def add_softmax(t: Blueprint, name: str, objective: Objective, target: str, output: str) -> None:
    """Add synapses from each output neuron to all error neurons, which sum up the normaliser of a softmax.

    Args:
        t: the blueprint.
        name: the name of the synapses.
        objective: the objective, whose error population reads `output` of its output population.
        target: the variable of the error population that receives the sum.
        output: the variable of the output population.
    """
    size = t.neurons[objective.output].size
    t.add(Wires(name, objective.output, objective.error, *np.indices((size, size)).reshape(2, -1)))
    t.sum(name, target, f"exp({output}_pre - output_post)")
