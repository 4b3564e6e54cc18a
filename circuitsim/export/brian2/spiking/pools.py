r"""Means over batch and population as pools: neurons that average over a population and over the last trials.

    dM/dt = learns (T / D  mean_i q_i - M) / (n T)      T: length of a trial, D: of its descending volley, n: trials

A batch is what the circuit has seen lately. Over a trial, M thus averages the integral of q over the trial, divided by
D, which is how rules count terms with data: a trace divided by the root of its mean square has the mean square 1.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import numpy as np
import sympy

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.parts import Neurons
from circuitsim.export.brian2.reductions import add_mean, in_order, is_mean, link_mean, without_ends
from circuitsim.export.brian2.spiking.lowering import Lowering
from circuitsim.export.brian2.spiking.reads import slopes_of, symbols_of
from circuitsim.export.brian2.transcribe import body_of_mean
from circuitsim.plan import PopulationPlan, ProjectionPlan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron, of, signal
from circuitsim.rules import Reduction, Sum
from circuitsim.rules import functions as f
from circuitsim.rules.terms import ONE

START = 1.0  # of every mean: the square of one unit of activity


def made_of_means(c: Lowering, p: ProjectionPlan, rule: Sum) -> dict[sympy.Symbol, sympy.Expr]:
    """What a rule reads that a population's variables do not hold, traces, currents of traces, and computed signals, as
    expressions in what the variables hold, and in symbols of pools."""
    found = {s: e for s, e in _signals(c).items() if s in rule.symbols}
    for end, population in ((PRE, p.pre), (POST, p.post)):
        found |= {at(s, end): _read_at(e, end) for s, e in _seen(c, population, rule.symbols, end).items()}
    return found


def _seen(c: Lowering, population: str, read: Iterable[sympy.Symbol], end: str) -> dict[sympy.Symbol, sympy.Expr]:
    """The trace of a population, and the currents of traces onto it, as far as a rule reads them at one end."""
    plan, found = c.replica.plan, {}
    if at(trace := neuron("trace", population), end) in read:
        found[trace] = _trace(c, plan.populations[population])
    for q in plan.projections.values():
        sender = plan.populations[q.pre]
        if q.post == population and at(current(q.name), end) in read and q.compartment == "dendrite":
            found[current(q.name)] = _gain(c, sender) * current(q.name)
    return found


def _signals(c: Lowering) -> dict[sympy.Symbol, sympy.Expr]:
    """The signals that the circuit computes, in which means are symbols of pools."""
    take = functools.partial(_pool, c, None)
    return {signal(k): e.replace(f.mean, take, simultaneous=False) for k, e in c.replica.plan.computed.items()}


def _trace(c: Lowering, p: PopulationPlan) -> sympy.Expr:
    """What rules see of a population, in which means are symbols of pools."""
    seen = p.trace if p.computes_trace else neuron("activity", p.name)
    return seen.replace(f.mean, functools.partial(_pool, c, p.name), simultaneous=False)


def _gain(c: Lowering, p: PopulationPlan) -> sympy.Expr:
    """What a dendrite sees of a spike, in units of activity, in which means are symbols of pools. The trace must be the
    activity times what all neurons share."""
    gain = sympy.cancel(_trace(c, p) / neuron("activity", p.name))
    if not all(map(is_mean, gain.free_symbols)):
        raise CircuitError(
            f"population {p.name!r}: dendrites see its trace {p.trace}, but a spike can only deliver the activity "
            "times what all neurons share, such as a mean; export mode='rate'"
        )
    return gain


def mean_in_rule(
    c: Lowering, p: ProjectionPlan, mean: Reduction, known: Mapping[sympy.Symbol, sympy.Expr]
) -> sympy.Symbol:
    """The symbol of the pool for a mean over the neurons at one end of a projection. `known` are the means that come
    before it in the rule."""
    end, body = body_of_mean(c.replica, p, mean)
    population = p.pre if end == PRE else p.post
    seen = _seen(c, population, body.free_symbols, end)
    body = without_ends(body.xreplace({**_signals(c), **known}))
    return _pool(c, population, body.xreplace(seen))


def _read_at(expression: sympy.Expr, end: str) -> sympy.Expr:
    """An expression in quantities of neurons, read at one end of a synapse. Means and signals are the same at both."""
    return expression.xreplace({s: at(s, end) for s in expression.free_symbols if ":" not in s.name})


def text_at(c: Lowering, group: str, expression: sympy.Expr, names: Mapping[sympy.Expr, str]) -> str:
    """Write an expression in means, and in quantities that have names, at the synapses onto a group."""
    own = [s for s in expression.free_symbols if not is_mean(s)]
    shared = expression.as_independent(*own, as_Add=False)[0] if own else expression
    if not shared.free_symbols:  # a number, which needs no variable
        shared = ONE
    rest = expression / shared
    kept = {s: f"{_kept(c, group, s)}_post" for s in in_order(rest.free_symbols) if is_mean(s)}
    factors = [f"{_kept(c, group, shared)}_post"] if shared.free_symbols else []
    return f"({'*'.join([*factors, *([text(rest, {**names, **kept})] if rest != ONE or not factors else [])])})"


def _kept(c: Lowering, group: str, expression: sympy.Expr) -> str:
    """The variable of a group that holds an expression in means, computed at each plasticity step: once for each neuron
    and not for each synapse, which could not read the pools."""
    value = text(expression, {s: link_mean(c.b, s, group) for s in in_order(expression.free_symbols)})
    if (group, value) not in c.shared:
        name = c.shared[group, value] = f"shared_{sum(owner == group for owner, _ in c.shared)}"
        c.b.neurons[group].declare(name)
        c.b.run(group, f"{name} = {value}", every_ms=c.spiking.rule_every_ms, when="end")
    return c.shared[group, value]


def _pool(c: Lowering, population: str | None, body: sympy.Expr) -> sympy.Symbol:
    """The symbol of the pool for a mean of quantities of one population's neurons, which is that of the quantities."""
    owners = {of(s).partition(".")[0] for s in body.free_symbols if "." in s.name and not is_mean(s)}
    owner = min(owners or {population or next(iter(c.cells))})
    names = _names(c, owner, body)
    if unknown := sorted(of(s) for s in symbols_of([body], names) - names.keys() if not is_mean(s)):
        raise CircuitError(
            f"population {owner!r}: a pool that averages {body} over its neurons does not see {unknown[0]}; export "
            "mode='rate'"
        )
    return add_mean(c.b, owner, body, names, average=functools.partial(_over_trials, c))


def _names(c: Lowering, population: str, body: sympy.Expr) -> dict[sympy.Expr, str]:
    """The variables of a group that a pool can see, with `fired` if it sees slopes: which neurons fired lately."""
    plan, group = c.replica.plan, c.b.neurons[population]
    slopes = slopes_of(plan.populations[population])
    if body.has(*slopes) and "x" in group.equations and "fired" not in group.equations:
        group.add(f"fired = int(x > {c.spiking.fired_above!r}) : 1")
    known = {neuron("activity", population): "x", neuron("drive", population): "J", **dict.fromkeys(slopes, "fired")}
    known |= {current(name): f"I_{name}" for name in plan.projections}
    return {s: name for s, name in known.items() if name in group.equations}


def _over_trials(c: Lowering, hub: Neurons, variable: str, total: str, size: int) -> tuple[str, ...]:
    """Let a variable be the mean over neurons and the last trials. It outlasts the segments of a run."""
    trial, n = c.spiking.course, c.spiking.mean_trials
    hub.add(
        f"d{variable}/dt = learns(t)*({trial.length_ms / trial.descending_ms!r}*{total}/{float(size)} - {variable})"
        f"/({n * trial.length_ms!r}*ms) : 1"
    )
    hub.variables[variable] = np.array([START])
    hub.lasting.append(variable)
    if c.rests:  # the sum is that of the time step before, which belongs to the trial before
        c.b.run(hub.name, f"{total} = 0.0", every_ms=trial.length_ms, when="start")
    return ()
