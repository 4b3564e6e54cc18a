"""Projections as synapses: what a spike delivers, and the rule, which reads traces at both ends and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from circuitsim.engine.draws import generator
from circuitsim.errors import CircuitError
from circuitsim.export.brian2.language import Names, product, text, total
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.blueprint import Blueprint, Wires
from circuitsim.export.brian2.spiking.cells import Cell, SpikingCell
from circuitsim.export.brian2.spiking.neurons import spike_weight
from circuitsim.export.brian2.spiking.reads import Reads
from circuitsim.plan import Plan, ProjectionPlan
from circuitsim.plan.quantities import quantity
from circuitsim.rules import SlowTerm, Term
from circuitsim.rules.vocabulary import local


def lower_projection(
    b: Blueprint, replica: Replica, p: ProjectionPlan, cells: Mapping[str, Cell], reads: Reads, seed: int
) -> None:
    """Add the synapses of a projection, where something reads them."""
    pre, post = replica.synapses(p.name)
    if not len(pre):
        return
    wires = Wires(p.name, p.pre, p.post, pre, post, replica.weights[p.name][post, pre])
    wires.on_spike = _deliveries(b, replica.plan, p, cells[p.pre], reads)
    wires.delays_ms = _delays(b, p, cells[p.pre], len(pre), seed)
    if p.plastic:
        values = replica.parameters[p.name].items()
        wires.parameters = {k: v[post, pre] if isinstance(v, np.ndarray) else v for k, v in values}
        wires.rule = _rule(b, wires, replica.plan, p)
    if wires.on_spike or wires.rule:
        b.add(wires)


def _deliveries(b: Blueprint, plan: Plan, p: ProjectionPlan, cell: Cell, reads: Reads) -> dict[str, str]:
    """By event: a spike adds ``w / (k r tau)`` to the soma current and, where a rule reads it, to the trace of it."""
    taus = {}
    if p.target == "soma":
        taus["I"] = b.spiking.stream(plan.populations[p.post].stream).tau_synapse_ms
    if p.name in reads.currents:
        taus[f"I_{p.name}"] = b.spiking.stream(plan.populations[p.pre].stream).tau_trace_ms
    found: dict[str, str] = {}
    if not isinstance(cell, SpikingCell) or not taus:
        return found
    for spike in cell.spikes:
        sign = {"1": "w", "-1": "-w"}.get(spike.sign, f"w*{spike.sign.format(v='v_pre')}")
        code = [f"{name}_post += {sign}*{spike_weight(cell, b.spiking, tau)!r}" for name, tau in taus.items()]
        found[spike.event] = "; ".join(code)
    return found


def _delays(b: Blueprint, p: ProjectionPlan, cell: Cell, n: int, seed: int) -> np.ndarray | None:
    delay = b.spiking.delays.get(p.name)
    if delay is None:
        return None
    if any("{v}" in spike.sign for spike in cell.spikes):
        raise CircuitError(
            f"projection {p.name!r}: the sign of a signed spike is that of the membrane when it arrives, which after a "
            "delay may be another; use Spiking(coding='on_off'), whose spikes have no sign to lose"
        )
    steps = generator(seed, p.name, "delays").uniform(delay.low_ms, delay.high_ms, n) / b.spiking.dt_ms
    return np.asarray(np.rint(steps) * b.spiking.dt_ms)


def _rule(b: Blueprint, wires: Wires, plan: Plan, p: ProjectionPlan) -> str:
    r"""``w += learns (every/window * data + every/trial * rest)``.

    A term that depends on activity counts by its mean over a descending window, and one that does not (decay) by its
    mean over the trial: so over a trial both change w by about what they do in a step of the rate circuit.
    """
    assert p.rule is not None
    names = _names(b, plan, p)
    for reduction in p.rule.reductions:
        end = "post" if reduction.kind.endswith("in") else "pre"
        variable = f"{reduction.symbol.name}_{p.name}"
        names[reduction.symbol] = f"{variable}_{end}"
        b.neurons[p.post if end == "post" else p.pre].equations.append(f"{variable} : 1")
        wires.sums[names[reduction.symbol]] = total([_term(term, names) for term in reduction.body])
    trial, every = b.spiking.trial, b.spiking.rule_every_ms
    data = total([_term(term, names) for term in p.rule.terms if term.has_data])
    rest = total([_term(term, names) for term in p.rule.terms if not term.has_data])
    parts = [f"{every / ms!r}*({e})" for e, ms in ((data, trial.descending_ms), (rest, trial.length_ms)) if e]
    b.widths |= {"learns": 0, "eta_scale": 0}
    new = f"w + learns(t)*({' + '.join(parts) or '0.0'})"
    if p.bounds is None:
        return f"w = {new}"
    low, high = ("-inf" if p.bounds[0] is None else repr(float(p.bounds[0]))), p.bounds[1]
    return f"w = clip({new}, {low}, {'inf' if high is None else repr(float(high))})"


def _names(b: Blueprint, plan: Plan, p: ProjectionPlan) -> dict[sympy.Symbol, str]:
    """What the names of a rule are called at a synapse."""
    assert p.rule is not None
    post = plan.populations[p.post]
    names: dict[sympy.Symbol, str] = {symbol: symbol.name for symbol in p.binding}
    names |= {symbol: f"{symbol.name}_post" for symbol in p.binding if symbol.name.startswith("I_")}
    fired = f"int(x_post > {b.spiking.fired_above!r})"
    drive = {quantity("drive", p.post): "J_post"}
    gates = {
        s: f"int(x_{s.name[6:-1]}_post > {b.spiking.fired_above!r})" for s in post.activity.free_symbols - set(drive)
    }
    names[local("pre")] = "x_pre"
    names[local("drive_post")] = "J_post"
    names[local("slope_post")] = next(iter(gates.values()), fired)
    names[local("post")] = f"({text(post.activity, drive | gates)})"
    if local("eta") in names:
        names[local("eta")] = "eta*eta_scale(t)"
    return names


def _term(term: Term | SlowTerm, names: Names) -> str:
    if isinstance(term, SlowTerm):
        return text(term.expression, names)
    is_negative = term.coefficient.as_coeff_Mul()[0].is_negative
    coefficient = -term.coefficient if is_negative else term.coefficient
    return ("-" if is_negative else "") + product([coefficient, term.weight, term.post, term.pre], names)
