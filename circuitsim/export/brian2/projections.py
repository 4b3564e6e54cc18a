"""Transcription of projections: synapses with their currents, rules and ties."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import Names, of_neuron, of_parameter, of_synapse, term_text, text, total
from circuitsim.export.brian2.parts import Wires
from circuitsim.export.brian2.populations import QUANTITIES, seen
from circuitsim.export.brian2.reductions import add_mean, computed_signals, copy_mean, without_ends
from circuitsim.export.brian2.replica import WEIGHT, Cycle, Replica
from circuitsim.export.brian2.updates import Update, run_updates
from circuitsim.motif import Projection
from circuitsim.plan import ProjectionPlan
from circuitsim.plan.quantities import BATCH_SIZE, POST, PRE, at, current, neuron, signal, synapse
from circuitsim.rules import Reduction, Sum, Term
from circuitsim.rules.terms import ONE


def make_wires(p: Projection, replica: Replica) -> Wires:
    """Make the synapses that exist, with their states."""
    pre, post = replica.synapses(p.name)
    learns = any(q.name == p.name for plan in replica.plans for q in plan.plastic())
    wires = Wires(p.name, p.pre, p.post, pre, post, learns=learns)
    wires.declare(WEIGHT, replica.weights[p.name][post, pre])
    for name, start in replica.states_at(p.name).items():
        wires.declare(name, start)
    wires.set_constants(replica.constants_at(p.name))
    return wires


def transcribe_current(t: Blueprint, cycle: Cycle, p: ProjectionPlan) -> None:
    """Transcribe a projection's current. Somata receive activities, dendrites traces."""
    variable = "activity" if p.compartment == "soma" else seen(cycle.plan.populations[p.pre])
    if p.name in t.wires:
        t.sum(p.name, f"{cycle.current(p.name)}_post", f"{cycle.weight(p.name)}*{variable}_pre")
    else:
        t.neurons[p.post].declare(cycle.current(p.name))  # without synapses it stays 0


def transcribe_rules(t: Blueprint, cycle: Cycle, p: ProjectionPlan) -> None:
    """Transcribe the changes of a projection's weights and synaptic states."""
    updates = []
    if p.rule is not None:
        updates.append(_update(t, cycle, p, WEIGHT, p.rule))
    updates += [_update(t, cycle, p, of_synapse(state), rule) for state, rule in p.states.items()]
    run_updates(t, p.name, updates, cycle.suffix)


def _update(t: Blueprint, cycle: Cycle, p: ProjectionPlan, variable: str, rule: Sum) -> Update:
    """The update of a variable by a rule in normal form. The rule's means and sums over synapses come first."""
    names = _names(t, cycle, p, rule)
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
        return Update(variable, data, [cycle.weight(p.name), *rest], p.bounds or (None, None))
    return Update(variable, data, rest)


def _mean(
    t: Blueprint,
    cycle: Cycle,
    p: ProjectionPlan,
    mean: Reduction,
    names: Names,
    means: Mapping[sympy.Symbol, sympy.Expr],
) -> sympy.Symbol:
    """Transcribe a mean over the neurons of one end; `means` are those of the rule that come before it."""
    end, body = body_of_mean(cycle.replica, p, mean)
    body = without_ends(body.xreplace({**computed_signals(t, cycle), **means}))
    at_end = {s: name.removesuffix(f"_{end}") for s, name in names.items() if name.endswith(f"_{end}")}
    own = {without_ends(s): name for s, name in at_end.items()}
    own |= {signal(given): f"signal_{given}(t)" for given in cycle.plan.signals}
    return add_mean(t, p.pre if end == PRE else p.post, body, own, cycle.suffix)


def body_of_mean(replica: Replica, p: ProjectionPlan, mean: Reduction) -> tuple[str, sympy.Expr]:
    """The end of the synapses over whose neurons a mean is taken, and its argument, in which parameters are numbers."""
    (term,) = mean.body
    assert isinstance(term, Term)
    numbers = {k: sympy.Float(v) for k, v in replica.parameters.get(p.name, {}).items() if np.ndim(v) == 0}
    known = {synapse(name, p.name): number for name, number in numbers.items()}
    return PRE if term.pre != ONE else POST, (term.post * term.pre).xreplace(known)


def transcribe_tie(t: Blueprint, p: Projection, replica: Replica) -> None:
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


def _names(t: Blueprint, cycle: Cycle, p: ProjectionPlan, rule: Sum) -> dict[sympy.Expr, str]:
    """The Brian2 names of a rule's quantities at a synapse, mostly those of the declared rule."""
    suffix, replica = cycle.suffix, cycle.replica
    names = {synapse("w", p.name): cycle.weight(p.name), BATCH_SIZE: "(1.0/share(t))"}
    names |= {synapse(name, p.name): of_parameter(name) for name in replica.parameters.get(p.name, {})}
    names |= {synapse(state, p.name): of_synapse(state) + suffix for state in replica.states[p.name]}
    for end, population in ((PRE, p.pre), (POST, p.post)):
        names |= {at(neuron(kind, population), end): f"{kind}_{end}" for kind in (*QUANTITIES, "trace")}
        states = replica.states[population]
        names |= {at(neuron(state, population), end): f"{of_neuron(state)}{suffix}_{end}" for state in states}
    names |= {at(current(name), POST): f"{cycle.current(name)}_post" for name in cycle.plan.projections}
    names |= {r.symbol: sum_name(p, r, suffix) for r in rule.reductions if r.kind != "mean"}
    names |= {signal(given): f"signal_{given}(t)" for given in cycle.plan.signals}
    if rule.symbols & {signal(name) for name in cycle.plan.computed}:
        for symbol, expression in computed_signals(t, cycle).items():
            at_synapse = {mean: f"{copy_mean(t, mean, p.post)}_post" for mean in expression.free_symbols}
            names[symbol] = f"({text(expression, at_synapse)})"
    return names


def sum_name(p: ProjectionPlan, reduction: Reduction, suffix: str = "") -> str:
    """The Brian2 name of a sum over synapses, such as ``sum_in_0_V1_e_post`` for ``V1:e.sum_in_0``."""
    state, _, name = reduction.symbol.name.partition(":")[2].rpartition(".")
    owner = f"{p.name}_{state}" if state else p.name
    return f"{name}_{owner}{suffix}_{'post' if reduction.kind.endswith('in') else 'pre'}"
