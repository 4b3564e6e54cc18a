"""Transcribe the plans of a replica into a network of rates, in which one time step processes one sample.

Each population is a group with activity, slope, trace, error and states, in sweep order. Each projection is a number of
synapses with currents and rules; ties copy weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.feeding import SIGNALS, TICK_MS, signals
from circuitsim.export.brian2.language import (
    Bounds,
    Names,
    clipped,
    of_neuron,
    of_parameter,
    of_synapse,
    term_text,
    text,
    total,
)
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.export.brian2.reductions import (
    ERRORS,
    add_mean,
    add_softmax,
    computed_signals,
    copy_mean,
    in_order,
    link_mean,
    take_reductions,
    without_ends,
)
from circuitsim.export.brian2.replica import WEIGHT, Cycle, Replica
from circuitsim.motif import Objective, Projection
from circuitsim.plan import PopulationPlan, ProjectionPlan
from circuitsim.plan.quantities import BATCH_SIZE, POST, PRE, at, current, neuron, signal, synapse
from circuitsim.rules import Reduction, Sum, Term
from circuitsim.rules.terms import ONE

QUANTITIES = ("drive", "activity", "slope")


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
        t.add(_group(population, replica))
    for p in motif.projections:
        if replica.masks[p.name].any():
            t.add(make_wires(p, replica))
    for cycle in cycles:
        if len(cycles) > 1:
            _keep_remembered(t, cycle)
        _transcribe_cycle(t, cycle)
    for p in motif.projections:
        if p.name in t.wires and p.tied_to is not None:
            _tie(t, p, replica)
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
            _current(t, cycle, plan.projections[name])
        _population(t, cycle, population)
    for p in plan.projections.values():
        if p.compartment == "dendrite":
            _current(t, cycle, p)
    for p in plan.projections.values():
        if p.name in t.wires:
            _rules(t, cycle, p)
    for population in plan.populations.values():
        _states(t, cycle, population)
    if cycle.suffix:
        for name in plan.outputs:  # a later phase may overwrite the activity that the loss reads
            t.neurons[name].declare(f"activity{cycle.suffix}")
            t.run(name, f"activity{cycle.suffix} = activity")


# -- populations


def _group(p: PopulationPlan, replica: Replica) -> Neurons:
    """Make the group of a population, with its states."""
    group = Neurons(p.name, p.size)
    for name in _quantities(p):
        group.declare(name)
    for name, start in replica.states[p.name].items():
        group.declare(of_neuron(name), start)
    return group


def _quantities(p: PopulationPlan) -> list[str]:
    """The variables that a cycle computes and that later phases can read."""
    own = {"drive": True, "activity": True, "slope": p.computes_slope, "trace": p.computes_trace}
    return [name for name, is_computed in own.items() if is_computed]


def _population(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> None:
    """Transcribe a population's drive, activity, slope and trace. A population that nothing drives keeps its values
    from an earlier phase, or is 0 if there are none."""
    if p.source == "kept":
        if cycle.plan is cycle.replica.plan:
            t.run(p.name, *(f"{name} = 0.0" for name in _quantities(p)))
        return
    names = _names_in_group(t, cycle, p)
    noise = f" + {p.noise!r}*noise_{p.name}{cycle.suffix}(t, i)" if p.noise else ""
    t.run(p.name, *_drive(t, cycle, p))
    computed = [p.activity, p.slope] if p.computes_slope else [p.activity]
    activity, *slope = take_reductions(t, p.name, computed, names, cycle.suffix)
    t.run(p.name, f"activity = {text(activity, names)}{noise}", *(f"slope = {text(e, names)}" for e in slope))
    if p.computes_trace:
        (trace,) = take_reductions(t, p.name, [p.trace], names, cycle.suffix)
        t.run(p.name, f"trace = {text(trace, names)}")


def _states(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> None:
    """Transcribe the updates of a population's states, each to the batch mean of its expression."""
    names, signals = _names_in_group(t, cycle, p), computed_signals(t, cycle) if p.states else {}
    names |= {mean: link_mean(t, mean, p.name) for e in signals.values() for mean in in_order(e.free_symbols)}
    changed = (update.xreplace(signals) for update in p.states.values())
    taken = take_reductions(t, p.name, changed, names, cycle.suffix)
    updates = [Update(of_neuron(k), text(e, names)) for k, e in zip(p.states, taken, strict=True)]
    _run_updates(t, p.name, updates, cycle.suffix)


def _names_in_group(t: Blueprint, cycle: Cycle, p: PopulationPlan) -> dict[sympy.Expr, str]:
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


# -- projections


def make_wires(p: Projection | ProjectionPlan, replica: Replica) -> Wires:
    """Make the synapses that exist, with their states and the constants of their rule."""
    pre, post = replica.synapses(p.name)
    learns = any(q.name == p.name for plan in replica.plans for q in plan.plastic())
    wires = Wires(p.name, p.pre, p.post, pre, post, learns=learns)
    wires.declare(WEIGHT, replica.weights[p.name][post, pre])
    for name, start in replica.states[p.name].items():
        wires.declare(of_synapse(name), start[post, pre])
    for name, value in replica.parameters.get(p.name, {}).items() if learns else ():
        wires.set_constant(of_parameter(name), value[post, pre] if isinstance(value, np.ndarray) else value)
    return wires


def _current(t: Blueprint, cycle: Cycle, p: ProjectionPlan) -> None:
    """Transcribe a projection's current. Somata receive activities, dendrites traces."""
    sees_trace = p.compartment == "dendrite" and cycle.plan.populations[p.pre].computes_trace
    variable = "trace" if sees_trace else "activity"
    if p.name in t.wires:
        t.sum(p.name, f"{cycle.current(p.name)}_post", f"{cycle.weight(p.name)}*{variable}_pre")
    else:
        t.neurons[p.post].declare(cycle.current(p.name))  # without synapses it stays 0


def _rules(t: Blueprint, cycle: Cycle, p: ProjectionPlan) -> None:
    """Transcribe the changes of a projection's weights and synaptic states."""
    updates = []
    if p.rule is not None:
        updates.append(_update(t, cycle, p, WEIGHT, p.rule))
    updates += [_update(t, cycle, p, of_synapse(state), rule) for state, rule in p.states.items()]
    _run_updates(t, p.name, updates, cycle.suffix)


def _update(t: Blueprint, cycle: Cycle, p: ProjectionPlan, variable: str, rule: Sum) -> Update:
    """The update of a variable by a rule in normal form. The rule's means and sums over synapses come first."""
    names = _names_at_synapse(t, cycle, p, rule)
    means: dict[sympy.Symbol, sympy.Expr] = {}
    for reduction in rule.reductions:
        if reduction.kind == "mean":
            means[reduction.symbol] = _mean(t, cycle, p, reduction, names, means)
            names[reduction.symbol] = f"{copy_mean(t, means[reduction.symbol], p.post)}_post"
            continue
        summed = t.largest if reduction.kind.startswith("max") else t.sum
        summed(p.name, names[reduction.symbol], total([term_text(term, names) for term in reduction.body]))
    data = total([term_text(term, names) for term in rule.terms if term.has_data])
    rest = [term_text(term, names) for term in rule.terms if not term.has_data]
    if variable == WEIGHT:
        return Update(variable, data, [cycle.weight(p.name), *rest], p.bounds)
    return Update(variable, data, rest)


def _mean(
    t: Blueprint, cycle: Cycle, p: ProjectionPlan, mean: Reduction, names: Names,
    means: Mapping[sympy.Symbol, sympy.Expr],
) -> sympy.Symbol:  # fmt: skip
    """Transcribe a mean over the neurons of one end; `means` are those of the rule that come before it."""
    end, body = body_of_mean(cycle.replica, p, mean)
    body = without_ends(body.xreplace({**computed_signals(t, cycle), **means}))
    at_end = {s: name.removesuffix(f"_{end}") for s, name in names.items() if name.endswith(f"_{end}")}
    own = {without_ends(s): name for s, name in at_end.items()}
    own |= {signal(given): f"signal_{given}(t)" for given in cycle.plan.signals}
    return add_mean(t, p.pre if end == PRE else p.post, body, own, cycle.suffix)


@dataclass(frozen=True)
class Update:
    """The new value of a variable: the batch mean of `sample`, plus `rest`, clipped to `bounds`."""

    variable: str
    sample: str  # an expression that depends on the sample, or ""
    rest: Sequence[str] = ()  # expressions that do not depend on the sample
    bounds: Bounds | None = None


def _run_updates(t: Blueprint, owner: str, updates: Sequence[Update], suffix: str) -> None:
    """Add the updates of one group, or of one projection's synapses, which have an effect only in the last pass of the
    phase with this suffix.

    Each expression is first assigned to a new name, because Brian2 rewrites assignments to existing variables with
    SymPy.
    """
    learns, ends = f"learns{suffix}(t)", f"ends{suffix}(t)"
    sums = {u.variable: f"{u.variable}_sum{suffix}" for u in updates}  # over samples
    for name in sums.values():
        t.parts[owner].declare(name)
    sampled = {u.variable: u.sample for u in updates if u.sample}
    code = [f"asked_{k} = where({learns}, share(t)*({sample}), 0.0)" for k, sample in sampled.items()]
    code += [f"{sums[k]} += asked_{k}" for k in sampled]
    for u in updates:
        new = total([*([sums[u.variable]] if u.sample else []), *u.rest]) or "0.0"
        code.append(f"new_{u.variable} = {clipped(new, u.bounds)}")
    code += [f"{k} = where({ends}, new_{k}, {k})" for k in sums]
    t.run(owner, *code, *(f"{sums[k]} = where({ends}, 0.0, {sums[k]})" for k in sampled))


def body_of_mean(replica: Replica, p: ProjectionPlan, mean: Reduction) -> tuple[str, sympy.Expr]:
    """The end of the synapses over whose neurons a mean is taken, and its argument, in which parameters are numbers."""
    (term,) = mean.body
    assert isinstance(term, Term)
    numbers = {k: sympy.Float(v) for k, v in replica.parameters.get(p.name, {}).items() if np.ndim(v) == 0}
    known = {synapse(name, p.name): number for name, number in numbers.items()}
    return PRE if term.pre != ONE else POST, (term.post * term.pre).xreplace(known)


def _tie(t: Blueprint, p: Projection, replica: Replica) -> None:
    """Transcribe a tied projection: one-to-one synapses from the source's synapses copy the weights."""
    assert p.tied_to is not None
    source, own = t.wires[p.tied_to.projection], t.wires[p.name]
    number = np.full(replica.masks[source.name].shape, -1)
    number[source.j, source.i] = np.arange(len(source.i))
    number = number.T if p.tied_to.transpose else number
    tie = f"{p.name}_tie"
    t.add(Wires(tie, source.name, p.name, number[own.j, own.i], np.arange(len(own.i))))
    value = "sign(w_pre)" if p.tied_to.sign else "w_pre"
    t.sum(tie, "w_post", value if p.tied_to.scale == 1 else f"{float(p.tied_to.scale)!r}*{value}")


def _names_at_synapse(t: Blueprint, cycle: Cycle, p: ProjectionPlan, rule: Sum) -> dict[sympy.Expr, str]:
    """The Brian2 names of a rule's quantities at a synapse, mostly those of the declared rule."""
    names = {BATCH_SIZE: "(1.0/share(t))"}
    for end, population in ((PRE, p.pre), (POST, p.post)):
        names |= {at(neuron(kind, population), end): f"{kind}_{end}" for kind in (*QUANTITIES, "trace")}
    names |= declared_names(cycle, p)  # a state may have the name of a quantity
    names |= {r.symbol: sum_name(p, r, cycle.suffix) for r in rule.reductions if r.kind != "mean"}
    if rule.symbols & {signal(name) for name in cycle.plan.computed}:
        for symbol, expression in computed_signals(t, cycle).items():
            at_synapse = {mean: f"{copy_mean(t, mean, p.post)}_post" for mean in in_order(expression.free_symbols)}
            names[symbol] = f"({text(expression, at_synapse)})"
    return names


def declared_names(cycle: Cycle, p: ProjectionPlan) -> dict[sympy.Expr, str]:
    """The Brian2 names, at a synapse, of its own quantities, and of states, currents and signals."""
    suffix, replica = cycle.suffix, cycle.replica
    names: dict[sympy.Expr, str] = {synapse("w", p.name): cycle.weight(p.name)}
    names |= {synapse(name, p.name): of_parameter(name) for name in replica.parameters.get(p.name, {})}
    names |= {synapse(state, p.name): of_synapse(state) + suffix for state in replica.states[p.name]}
    for end, population in ((PRE, p.pre), (POST, p.post)):
        states = replica.states[population]
        names |= {at(neuron(state, population), end): f"{of_neuron(state)}{suffix}_{end}" for state in states}
    names |= {at(current(name), POST): f"{cycle.current(name)}_post" for name in cycle.plan.projections}
    return names | {signal(given): f"signal_{given}(t)" for given in cycle.plan.signals}


def sum_name(p: ProjectionPlan, reduction: Reduction, suffix: str = "") -> str:
    """The Brian2 name of a sum over synapses, such as ``sum_in_0_V1_e_post`` for ``V1:e.sum_in_0``."""
    state, _, name = reduction.symbol.name.partition(":")[2].rpartition(".")
    owner = f"{p.name}_{state}" if state else p.name
    return f"{name}_{owner}{suffix}_{'post' if reduction.kind.endswith('in') else 'pre'}"
