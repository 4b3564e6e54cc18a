"""Lower projections to synapses: the effect of a spike, and the rule, which reads only traces at the two ends.

When a presynaptic spike arrives, it delivers the weight, changes the weight, and changes the synapse's states, each
from the values before the spike. A postsynaptic spike makes the two changes. Where both happen in one time step, the
presynaptic spike comes first. States of neurons change at their reset, which is after both.
"""

from __future__ import annotations

import re

import numpy as np
import sympy

from circuitsim.engine.draws import generator
from circuitsim.errors import CircuitError
from circuitsim.export.brian2.language import at_once, clipped, of_parameter, of_synapse, term_text, text, total
from circuitsim.export.brian2.parts import Wires
from circuitsim.export.brian2.replica import WEIGHT
from circuitsim.export.brian2.spiking.cells import GradedReadout, SpikingCell
from circuitsim.export.brian2.spiking.lowering import Lowering
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.neurons import check_events, spike_weight
from circuitsim.export.brian2.spiking.pools import made_of_means, mean_in_rule, text_at
from circuitsim.export.brian2.spiking.reads import gate_of, read_by, slopes_at_post
from circuitsim.export.brian2.transcribe import declared_names, make_wires, sum_name
from circuitsim.plan import ProjectionPlan
from circuitsim.plan.quantities import BATCH_SIZE, POST, PRE, at, neuron, synapse
from circuitsim.rules import Sum

DELAY = "delay_ms"  # the constant of synapses that holds their delay, where a spike's effect depends on it
ARRIVED = "arrived"  # the variable of synapses that holds the trace of spikes that have arrived, after a delay


def lower_projection(c: Lowering, p: ProjectionPlan) -> list[str]:
    """Add the synapses of a projection, unless they have no effect, and return what they do at the beginning of each
    trial."""
    declared, wires = c.replica.motif.projection(p.name).state, make_wires(p, c.replica)
    if not len(wires.i):
        return []
    wires.decays = {of_synapse(k): float(state.tau_ms) for k, state in declared.items() if state.tau_ms is not None}
    wires.delays_ms = _delays(c, p, len(wires.i))
    arrives = _arrives(c.spiking) if wires.delays_ms is not None else ""
    _deliver(c, wires, p, arrives)
    if not (wires.on_spike or (p.rule is not None and p.rule.terms) or any(p.jumps.values())):
        return []
    c.b.add(wires)
    if arrives and wires.delays_ms is not None:
        wires.set_constant(DELAY, wires.delays_ms)
    if p.rule is not None and p.rule.terms:
        c.b.run(p.name, _rule(c, p, p.rule), every_ms=c.spiking.rule_every_ms, when="end")
    _at_spikes(c, wires, p, arrives)
    rest = {of_synapse(name): float(state.start) for name, state in declared.items()}
    if _reads_arrived(c, p):
        _add_arrived(c, wires, p, arrives)
        rest[ARRIVED] = 0.0
    return [f"{name} = {value!r}" for name, value in rest.items()] if c.rests else []


def _deliver(c: Lowering, wires: Wires, p: ProjectionPlan, arrives: str) -> None:
    """Let a spike add ``w / (k r tau)`` to the soma current, times the gain of the phase, and to the low-passed current
    if a rule reads it."""
    cell, steps = c.cells[p.pre], {}
    if not isinstance(cell, SpikingCell):
        return
    if p.compartment == "soma":
        steps["I"] = p.gain * spike_weight(cell, c.spiking, c.stream(p.post).tau_synapse_ms)
    if p.name in c.reads.currents:
        steps[f"I_{p.name}"] = spike_weight(cell, c.spiking, c.stream(p.pre).tau_trace_ms)
    for spike in cell.spikes if steps else ():
        sign = {"1": "w", "-1": "-w"}.get(spike.sign, f"w*{spike.sign.format(v='v_pre')}")
        wires.at_spike(
            spike.event, "; ".join(f"{name}_post += {sign}*{step!r}{arrives}" for name, step in steps.items())
        )


def _reads_arrived(c: Lowering, p: ProjectionPlan) -> bool:
    """Whether a rule reads the activity of presynaptic neurons whose spikes are delayed. It is the trace of those that
    have arrived, and a number of the synapse."""
    read = set().union(*(s.symbols for s in p.sums))
    return p.name in c.spiking.delays and any(at(neuron(kind, p.pre), PRE) in read for kind in ("activity", "trace"))


def _add_arrived(c: Lowering, wires: Wires, p: ProjectionPlan, arrives: str) -> None:
    """Add the trace of the spikes that have arrived."""
    cell, tau = c.cells[p.pre], c.stream(p.pre).tau_trace_ms
    wires.declare(ARRIVED)
    wires.decays[ARRIVED] = tau
    assert isinstance(cell, SpikingCell)  # a readout sends no spikes, and projections from it are refused
    for spike in cell.spikes:
        wires.at_spike(spike.event, f"{ARRIVED} += {spike.sign}*{spike_weight(cell, c.spiking, tau)!r}{arrives}")


def _at_spikes(c: Lowering, wires: Wires, p: ProjectionPlan, arrives: str) -> None:
    """Add what spikes at each end change: the weight, then the states."""
    for end, jumps in ((end, jumps) for end, jumps in p.jumps.items() if jumps):
        population = p.pre if end == PRE else p.post
        check_events(f"projection {p.name!r}: reads spike_{end}", population, c.cells[population])
        changes = []
        for name, jump in jumps.items():  # the weight is the first
            names = _known(c, p, jump)
            code = total([term_text(term, names) for term in jump.terms])
            code = f"({code}){arrives}" if arrives and end == PRE else code
            if name != WEIGHT:
                changes.append((of_synapse(name), "+=", code))
                continue
            if c.spiking.trial is not None:
                code = f"learns(t)*({code})"
            new = f"w {code}" if code.startswith("-") else f"w + {code}"
            changes.append((WEIGHT, "=", clipped(new, p.bounds)))
        code = "; ".join(at_once(changes))
        if end == POST:
            wires.on_post = code
            continue
        delivery = wires.on_spike.get("spike", "")
        if written := [v for v in re.findall(r"(\w+_post) \+=", delivery) if re.search(rf"\b{v}\b", code)]:
            raise CircuitError(
                f"projection {p.name!r}: at spike_pre, its rule reads {written[0].removesuffix('_post')}, to which the "
                "same spike adds; Brian2 does not define which value it finds"
            )
        wires.at_spike("spike", code)


def _arrives(spiking: Spiking) -> str:
    """Where neurons rest between trials: a factor that is 0 for a spike that was sent in the trial before.

    At the end of a step, more than the delay must have passed since the trial began; half a step keeps rounding away.
    """
    if spiking.trial is None or not spiking.trial.rests:
        return ""
    return f"*int((t/ms + {spiking.dt_ms / 2!r}) % {spiking.trial.length_ms!r} > {DELAY})"


def _delays(c: Lowering, p: ProjectionPlan, n: int) -> np.ndarray | None:
    delay, dt_ms = c.spiking.delays.get(p.name), c.spiking.dt_ms
    if delay is None:
        return None
    if any("{v}" in spike.sign for spike in c.cells[p.pre].spikes):
        raise CircuitError(
            f"projection {p.name!r}: a signed spike takes the membrane's sign when it arrives, which may have changed "
            "during a delay; use Spiking(coding='on_off'), whose spikes have no sign"
        )
    steps = generator(c.replica.seed, p.name, "delays").uniform(delay.shortest, delay.longest, n) / dt_ms
    return np.asarray(np.rint(steps) * dt_ms)


def _rule(c: Lowering, p: ProjectionPlan, rule: Sum) -> str:
    r"""``w += learns (every/window * data + every/trial * rest)``.

    A term that depends on activity is averaged over the descending window, and one that does not (such as decay) over
    the trial. Over a trial, each changes w by about as much as in a step of the rate circuit. Without trials, the rule
    is the change per second.
    """
    names, post = _known(c, p, rule), c.replica.plan.populations[p.post]
    trial, every = c.spiking.trial, c.spiking.rule_every_ms
    if trial is None:
        code = total([term_text(term, names) for term in rule.terms])
        return "w = " + clipped(f"w + {every / 1e3!r}*({code})", p.bounds)
    gate = gate_of(c.replica.plan, post) or p.post
    summands: dict[float, list[str]] = {}  # the terms, keyed by the time over which they are averaged
    for term in rule.terms:
        left, left_of_gate = c.delays.left_of_term(p, term, gate)
        duration = trial.descending_ms * left if term.has_data else trial.length_ms
        summands.setdefault(duration, []).append(term_text(term, names | _names(c, p, rule, left_of_gate)))
    parts = [f"{every / ms!r}*({total(summands[ms])})" for ms in sorted(summands)]
    return "w = " + clipped(f"w + learns(t)*({' + '.join(parts) or '0.0'})", p.bounds)


def _known(c: Lowering, p: ProjectionPlan, rule: Sum) -> dict[sympy.Expr, str]:
    """The Brian2 names of all that a rule reads, with its sums over synapses, which are added to the blueprint. A
    CircuitError says of what a spiking network has no trace."""
    names = _names(c, p, rule)
    of_rule = {reduction.symbol for reduction in rule.reductions}
    if unknown := sorted(map(str, read_by(rule, names) - names.keys() - of_rule)):
        raise CircuitError(
            f"projection {p.name!r}: its rule reads {unknown[0]}, of which there is no trace; export mode='rate'"
        )
    means: dict[sympy.Symbol, sympy.Expr] = {}
    for reduction in rule.reductions:
        if reduction.kind == "mean":
            means[reduction.symbol] = mean_in_rule(c, p, reduction, means)
            names[reduction.symbol] = text_at(c, p.post, means[reduction.symbol], {})
            continue
        target = names[reduction.symbol] = sum_name(p, reduction)
        c.b.sum(p.name, target, total([term_text(term, names) for term in reduction.body]))
    return names


def _names(c: Lowering, p: ProjectionPlan, rule: Sum, left_of_gate: float = 1.0) -> dict[sympy.Expr, str]:
    """The Brian2 names of a rule's quantities at a synapse.

    `left_of_gate` is the part of the trace that tells whether a neuron fired recently which delays leave.
    """
    post = c.replica.plan.populations[p.post]
    gate = gate_of(c.replica.plan, post)
    fired = f"int(x_{f'{gate}_' if gate else ''}post > {c.spiking.fired_above * left_of_gate!r})"
    names = declared_names(c.replica.cycles[0], p)
    if synapse("eta", p.name) in names and c.spiking.trial is not None:
        names[synapse("eta", p.name)] = f"({of_parameter('eta')}*eta_scale(t))"
    names[at(neuron("activity", p.pre), PRE)] = ARRIVED if _reads_arrived(c, p) else "x_pre"
    names[at(neuron("drive", p.post), POST)] = "J_post"
    # Neurons show the same trace at both ends of a synapse, so that V and Vt of a pair change alike; a readout, which
    # does not spike, shows its low-passed drive.
    is_readout = isinstance(c.cells[p.post], GradedReadout)
    shown = f"({text(post.activity, {neuron('drive', p.post): 'J_post'})})" if is_readout else "x_post"
    names[at(neuron("activity", p.post), POST)] = shown
    names |= dict.fromkeys(slopes_at_post(post), fired) | {BATCH_SIZE: "1.0"}
    return names | {s: text_at(c, p.post, e, names) for s, e in made_of_means(c, p, rule).items()}
