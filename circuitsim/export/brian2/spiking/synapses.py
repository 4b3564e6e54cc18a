"""Lower projections to synapses: the effect of a spike, and the rule, which reads only traces at the two ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from circuitsim.engine.draws import generator
from circuitsim.errors import CircuitError
from circuitsim.export.brian2.language import Names, term_text, text, total
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spelling import of_synapse
from circuitsim.export.brian2.spiking.blueprint import DELAY, Blueprint, Wires
from circuitsim.export.brian2.spiking.cells import Cell, SpikingCell
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.neurons import spike_weight
from circuitsim.export.brian2.spiking.reads import Reads
from circuitsim.export.brian2.spiking.slopes import gate_of, read_by, slopes_at_post, slopes_of
from circuitsim.plan import Plan, ProjectionPlan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron, synapse


def lower_projection(
    b: Blueprint, replica: Replica, p: ProjectionPlan, cells: Mapping[str, Cell], reads: Reads, seed: int
) -> None:
    """Add the synapses of a projection, unless they have no effect."""
    pre, post = replica.synapses(p.name)
    if not len(pre):
        return
    wires = Wires(p.name, p.pre, p.post, pre, post, replica.weights[p.name][post, pre])
    wires.delays_ms = _delays(b, p, cells[p.pre], len(pre), seed)
    arrives = _arrives(b.spiking) if wires.delays_ms is not None else ""
    wires.on_spike = dict(_deliveries(b, replica.plan, p, cells[p.pre], reads, arrives))
    if p.plastic:
        values = replica.parameters[p.name].items()
        wires.parameters = {of_synapse(k): v[post, pre] if isinstance(v, np.ndarray) else v for k, v in values}
        wires.rule = _rule(b, wires, replica, p)
    if wires.on_spike or wires.rule:
        b.add(wires)


def _deliveries(
    b: Blueprint, plan: Plan, p: ProjectionPlan, cell: Cell, reads: Reads, arrives: str
) -> Iterator[tuple[str, str]]:
    """The statements of each event: a spike adds ``w / (k r tau)`` to the soma current and, if a rule reads it, to the
    low-passed current."""
    taus = {}
    if p.compartment == "soma":
        taus["I"] = b.spiking.stream(plan.populations[p.post].stream).tau_synapse_ms
    if p.name in reads.currents:
        taus[f"I_{p.name}"] = b.spiking.stream(plan.populations[p.pre].stream).tau_trace_ms
    if not isinstance(cell, SpikingCell) or not taus:
        return
    for spike in cell.spikes:
        sign = {"1": "w", "-1": "-w"}.get(spike.sign, f"w*{spike.sign.format(v='v_pre')}")
        code = [f"{name}_post += {sign}*{spike_weight(cell, b.spiking, tau)!r}{arrives}" for name, tau in taus.items()]
        yield spike.event, "; ".join(code)


def _arrives(spiking: Spiking) -> str:
    """Where neurons rest between trials: a factor that is 0 for a spike that was sent in the trial before.

    At the end of a step, more than the delay must have passed since the trial began; half a step keeps rounding away.
    """
    if not spiking.trial.rests:
        return ""
    return f"*int((t/ms + {spiking.dt_ms / 2!r}) % {spiking.trial.length_ms!r} > {DELAY})"


def _delays(b: Blueprint, p: ProjectionPlan, cell: Cell, n: int, seed: int) -> np.ndarray | None:
    delay = b.spiking.delays.get(p.name)
    if delay is None:
        return None
    if any("{v}" in spike.sign for spike in cell.spikes):
        raise CircuitError(
            f"projection {p.name!r}: a signed spike takes the membrane's sign when it arrives, which may have changed "
            "during a delay; use Spiking(coding='on_off'), whose spikes have no sign"
        )
    steps = generator(seed, p.name, "delays").uniform(delay.shortest, delay.longest, n) / b.spiking.dt_ms
    return np.asarray(np.rint(steps) * b.spiking.dt_ms)


def _rule(b: Blueprint, wires: Wires, replica: Replica, p: ProjectionPlan) -> str:
    r"""``w += learns (every/window * data + every/trial * rest)``.

    A term that depends on activity is averaged over the descending window, and one that does not (such as decay) over
    the trial. Over a trial, each changes w by about as much as in a step of the rate circuit.
    """
    assert p.rule is not None
    names = dict(_names(b, replica, p))
    of_rule = {reduction.symbol for reduction in p.rule.reductions}
    if unknown := sorted(map(str, read_by(p.rule, names) - names.keys() - of_rule)):
        raise CircuitError(
            f"projection {p.name!r}: its rule reads {unknown[0]}, of which there is no trace; export mode='rate'"
        )
    for reduction in p.rule.reductions:
        end = "post" if reduction.kind.endswith("in") else "pre"
        variable = f"{reduction.symbol.name.partition(':')[2]}_{p.name}"
        names[reduction.symbol] = f"{variable}_{end}"
        b.neurons[p.post if end == "post" else p.pre].equations.append(f"{variable} : 1")
        wires.sums[names[reduction.symbol]] = total([term_text(term, names) for term in reduction.body])
    trial, every = b.spiking.trial, b.spiking.rule_every_ms
    data = total([term_text(term, names) for term in p.rule.terms if term.has_data])
    rest = total([term_text(term, names) for term in p.rule.terms if not term.has_data])
    parts = [f"{every / ms!r}*({e})" for e, ms in ((data, trial.descending_ms), (rest, trial.length_ms)) if e]
    b.widths |= {"learns": 0, "eta_scale": 0}
    new = f"w + learns(t)*({' + '.join(parts) or '0.0'})"
    if p.bounds is None:
        return f"w = {new}"
    low, high = ("-inf" if p.bounds[0] is None else repr(float(p.bounds[0]))), p.bounds[1]
    return f"w = clip({new}, {low}, {'inf' if high is None else repr(float(high))})"


def _names(b: Blueprint, replica: Replica, p: ProjectionPlan) -> Names:
    """The Brian2 names of a rule's quantities at a synapse."""
    plan = replica.plan
    post = plan.populations[p.post]
    gate = gate_of(plan, post)
    fired = f"int(x_{f'{gate}_' if gate else ''}post > {b.spiking.fired_above!r})"
    of_post = {neuron("drive", p.post): "J_post"}
    of_post |= dict.fromkeys(slopes_of(plan.populations[gate]), fired) if gate else {}
    names = {synapse("w", p.name): "w"} | {synapse(k, p.name): of_synapse(k) for k in replica.parameters[p.name]}
    if synapse("eta", p.name) in names:
        names[synapse("eta", p.name)] = f"({of_synapse('eta')}*eta_scale(t))"
    names |= {at(current(name), POST): f"I_{name}_post" for name in plan.projections}
    names[at(neuron("activity", p.pre), PRE)] = "x_pre"
    names[at(neuron("drive", p.post), POST)] = "J_post"
    names[at(neuron("activity", p.post), POST)] = f"({text(post.activity, of_post)})"
    return names | dict.fromkeys(slopes_at_post(post), fired)
