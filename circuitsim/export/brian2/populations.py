"""Activities, slopes, traces, errors and states of neurons: a group per population, in the order of the sweep."""

from __future__ import annotations

import numpy as np
import sympy

from circuitsim.export.brian2.cycles import Cycle
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.means import take_means
from circuitsim.export.brian2.parts import Group, Wiring
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.transcript import Transcript
from circuitsim.export.brian2.updates import Update, statements
from circuitsim.motif import Objective
from circuitsim.plan import PopulationPlan
from circuitsim.plan.quantities import of_rule, quantity

# Minus the gradient of one sample's loss. The softmax does without a maximum over neurons, which Brian2 lacks: it is
# 1 / sum_j exp(y_j - y_i), and where the sum overflows it is 0, as it should be.
ERRORS = {
    "cross_entropy": "target - 1.0/normaliser",
    "mse": "target - output",
    "bce": "target - 1.0/(1.0 + exp(-output))",
}

Names = dict[sympy.Symbol, str]


def make_group(p: PopulationPlan, replica: Replica) -> Group:
    """The neurons, with what they remember."""
    group = Group(p.name, p.size, dict.fromkeys(quantities_of(p), 0.0))
    for name, start in replica.states[p.name].items():
        group.declare(name, start)
    return group


def quantities_of(p: PopulationPlan) -> list[str]:
    """The variables of a cycle, which the next phase finds as they are."""
    own = {"drive": True, "activity": True, "slope": p.computes_slope, "trace": p.computes_trace}
    return [name for name, is_computed in own.items() if is_computed]


def seen(p: PopulationPlan) -> str:
    """The variable that rules and dendrites see of a population."""
    return "trace" if p.computes_trace else "activity"


def transcribe_population(t: Transcript, replica: Replica, cycle: Cycle, p: PopulationPlan) -> None:
    """The drive and what follows from it. What nothing drives keeps what the phase before left, and is 0 at first."""
    if p.source == "kept":
        if cycle.plan is replica.plan:
            t.run(p.name, *(f"{name} = 0.0" for name in quantities_of(p)))
        return
    names = _names(t, replica, cycle, p)
    noise = f" + {p.noise!r}*noise_{p.name}{cycle.suffix}(t - start, i)" if p.noise else ""
    code = [*_drive(t, cycle, p), f"activity = {text(p.activity, names)}{noise}"]
    if p.computes_slope:
        code.append(f"slope = {text(p.slope, names)}")
    t.run(p.name, *code)
    if p.computes_trace:
        trace = take_means(t, p, p.trace, names, cycle.suffix)
        t.run(p.name, f"trace = {text(trace, names)}")


def transcribe_states(t: Transcript, replica: Replica, cycle: Cycle, p: PopulationPlan) -> None:
    """What the neurons remember becomes the batch mean of its update."""
    suffix, names = cycle.suffix, _names(t, replica, cycle, p)
    updates = [
        Update(k, f"{k}_sum{suffix}", text(take_means(t, p, update, names, suffix), names), ())
        for k, update in p.states.items()
    ]
    for update in updates:
        t.groups[p.name].declare(update.sum)
        t.link_to_batch(p.name, "share", f"learns{suffix}", f"ends{suffix}")
    t.run(p.name, *statements(updates, suffix))


def _names(t: Transcript, replica: Replica, cycle: Cycle, p: PopulationPlan) -> Names:
    """What the population's expressions read: its own variables, and linked ones of gating populations and signals."""
    names: Names = {quantity(kind, p.name): kind for kind in ("drive", "activity", "slope")}
    names |= {of_rule(p.name, state): state + cycle.suffix for state in replica.states[p.name]}
    read = set().union(*(e.free_symbols for e in (p.activity, p.slope, *p.states.values())))
    for gate in cycle.plan.populations:
        for kind in ("activity", "slope"):
            if (symbol := quantity(kind, gate)) in read - set(names):
                names[symbol] = f"{kind}_{gate}"
                t.groups[p.name].link(names[symbol], gate, kind)
    for signal in cycle.plan.signals:
        if (symbol := quantity("signal", signal)) in read:
            names[symbol] = f"signal_{signal}"
            t.link_to_batch(p.name, names[symbol])
    return names


def _drive(t: Transcript, cycle: Cycle, p: PopulationPlan) -> list[str]:
    plan = cycle.plan
    match p.source:
        case "input":
            return [f"drive = input_{p.name}(t - start, i)"]
        case "error":
            return _error(t, p, next(o for o in plan.objectives if o.error == p.name), cycle.suffix)
        case "soma":
            gains = {cycle.current(name): plan.projections[name].gain for name in p.soma}
            return ["drive = " + " + ".join(k if gain == 1 else f"{gain!r}*{k}" for k, gain in gains.items())]
    return []


def _error(t: Transcript, p: PopulationPlan, objective: Objective, suffix: str) -> list[str]:
    """The error of this sample, or, shuffled, of the sample before (the first one's is the last of the pass before)."""
    group, error = t.groups[p.name], f"error{suffix}"
    group.declare(error)
    if "target" not in group.variables:
        group.declare("target")
    group.link("output", objective.output, "activity")
    if objective.loss == "cross_entropy":
        pre, post = np.divmod(np.arange(p.size**2), p.size)
        t.add(Wiring(f"{p.name}_softmax{suffix}", objective.output, p.name, pre, post))
        t.sum(f"{p.name}_softmax{suffix}", f"normaliser{suffix}_post", "exp(activity_pre - output_post)")
    minus_gradient = ERRORS[objective.loss].replace("normaliser", f"normaliser{suffix}")
    fresh = [f"target = target_{objective.output}(t - start, i)", f"{error} = {minus_gradient}"]
    return [f"drive = {error}", *fresh] if objective.shuffled else [*fresh, f"drive = {error}"]
