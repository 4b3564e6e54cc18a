"""Features of circuits that the exports do not support. Each message names the object and the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import networkx as nx

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.cells import SpikeTrain
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.motif import Motif
from circuitsim.motif.expressions import PREVIOUS, expressions_of
from circuitsim.motif.phase import TIME
from circuitsim.motif.state import lasting
from circuitsim.plan import Plan
from circuitsim.plan.quantities import neuron
from circuitsim.rules import functions as f
from circuitsim.rules.vocabulary import local


def refuse_rates(circuit: Circuit, runs_python: bool) -> None:
    """Raise a CircuitError if a feature of a circuit has no counterpart in a network of rates. `runs_python` tells
    whether Python code can run between ticks."""
    _refuse_first(circuit.motif.name, _of_rates(circuit, runs_python))


def refuse_spikes(replica: Replica, spiking: Spiking, plastic: bool = True) -> None:
    """Raise a CircuitError if a feature of a circuit has no counterpart in a spiking network. If this is not `plastic`,
    what only rules read is not checked."""
    reasons = itertools.chain(_of_inference(replica, spiking), _of_rules(replica, spiking) if plastic else ())
    _refuse_first(replica.motif.name, reasons, " as spikes")


def _refuse_first(motif: str, reasons: Iterable[str], mode: str = "") -> None:
    """Raise a CircuitError with the first reason, if any. Later ones may rely on earlier ones, and are not computed."""
    for reason in reasons:
        raise CircuitError(f"motif {motif!r} cannot be exported to Brian2{mode}: {reason}")


def _of_rates(circuit: Circuit, runs_python: bool) -> Iterator[str]:
    motif = circuit.motif
    for phase in motif.phases:
        if phase.repeat == TIME:
            yield f"phase {phase.name!r} repeats over time, but a tick presents each phase once"
        elif phase.repeat != 1:
            yield f"phase {phase.name!r} repeats {phase.repeat} times, but a tick presents each phase once"
        if phase.apply == "step":
            yield f"phase {phase.name!r} applies changes at the end of the step, but a pass makes those of its phase"
    for p in motif.projections:
        if p.delay:
            yield f"projection {p.name!r} has a delay of {p.delay} iterations, but currents arrive in the same tick"
    for population, activation in expressions_of(motif).activation.items():
        if local(PREVIOUS) in activation.free_symbols:
            yield (
                f"population {population!r}: its activation reads `previous`, its activity in the sweep before, but a "
                "tick knows only one sweep"
            )
    for kind, owners in (("population", motif.populations), ("projection", motif.projections)):
        for owner in owners:
            for name in sorted(owner.state.keys() - lasting(owner.state).keys()):
                yield f"{kind} {owner.name!r}: its state {name!r} is per sample, but a network in Brian2 has one value"
    yield from _of_rewiring(motif)
    for q in (q for plan in circuit.plans for q in plan.projections.values() if not runs_python):
        for reduction in (r for rule in (q.rule, *q.states.values()) if rule is not None for r in rule.reductions):
            if reduction.kind.startswith("max"):
                yield (
                    f"projection {q.name!r}: its rule uses {reduction.kind}, which is computed in Python between ticks "
                    "because Brian2 has no maximum over synapses; a standalone program cannot do this, so use target "
                    "'numpy'"
                )


def _of_rewiring(motif: Motif) -> Iterator[str]:
    """Yield why synapses that come and go cannot be exported."""
    for p in motif.projections:
        if p.rewiring is not None:
            yield (
                f"projection {p.name!r} is rewired every {p.rewiring.every_steps} steps, but the synapses of a network "
                "in Brian2 stay where they are"
            )


def _of_inference(replica: Replica, spiking: Spiking) -> Iterator[str]:
    plan = replica.plan
    if len(replica.plans) > 1:
        yield f"it has {len(replica.plans)} phases, but a trial has the two volleys of a single cycle"
    elif plan.repeat != 1:
        yield f"phase {plan.phase!r} repeats, but a trial has the two volleys of a single cycle"
    for what, known in (("cells", plan.populations), ("delays", plan.projections)):
        for name in getattr(spiking, what):
            if name not in known:
                yield f"Spiking({what}=...) names {name!r}, which does not exist (known: {', '.join(known)})"
    if spiking.trial is None and plan.objectives:
        yield f"the objective of {plan.outputs[0]!r} compares the output of a trial, and trial=None has none"
    if spiking.trial is not None:
        for name, cell in {"inputs": spiking.inputs, **spiking.cells}.items():
            if isinstance(cell, SpikeTrain):
                yield f"Spiking: {name} has a SpikeTrain, whose times are given to a run without trials: use trial=None"
    for p in plan.populations.values():
        if p.target is not None:
            yield f"population {p.name!r}: the target drives it, which a trial plays to errors only; export mode='rate'"
        if reductions := p.activity.atoms(f.OverNeurons):
            yield (
                f"population {p.name!r}: its activation takes {min(map(str, reductions))} over all of its neurons, "
                "which no neuron model sees; export mode='rate'"
            )
        if p.name in plan.outputs and p.activity != neuron("drive", p.name):
            yield f"population {p.name!r}: an output must be linear, because its readout is graded (got {p.activity})"
        if p.noise or p.source == "kept":
            yield f"population {p.name!r}: noise and phases without drive are not supported; export mode='rate'"
    yield from _of_iterations(plan)


def _of_iterations(plan: Plan) -> Iterator[str]:
    """Delays that count iterations, unless they stand for the way round a loop, which spikes take in any case."""
    somata = nx.DiGraph((q.pre, q.post) for q in plan.projections.values() if q.compartment == "soma")
    loops = {name: k for k, loop in enumerate(nx.strongly_connected_components(somata)) for name in loop}
    for q in plan.projections.values():
        if q.delay > 1 or (q.delay and loops.get(q.pre) != loops.get(q.post)):
            yield (
                f"projection {q.name!r} has a delay of {q.delay} iterations, which spikes do not have, except for "
                f"delay=1 in a loop; use Spiking(delays={{{q.name!r}: Delay(ms)}})"
            )


def _of_rules(replica: Replica, spiking: Spiking) -> Iterator[str]:
    plan = replica.plan
    if spiking.trial is None:
        yield from _of_means(plan)
    for p in plan.populations.values():
        if p.computes_trace and (reductions := p.trace.atoms(f.OverNeurons)):
            yield (
                f"population {p.name!r}: its trace takes {min(map(str, reductions))} over all of its neurons, but a "
                "spiking network computes no other function of a population than mean; export mode='rate'"
            )
        if p.states or p.sampled:
            yield (
                f"population {p.name!r}: states of neurons that are updated at each step are not supported; export "
                "mode='rate', or let them change at spikes: State(tau_ms=..., on='spike')"
            )
    yield from _of_rewiring(replica.motif)
    for q in plan.projections.values():
        if q.pre in plan.outputs:
            yield f"projection {q.name!r}: its presynaptic population {q.pre!r} is a graded readout and sends no spikes"
        if q.states or q.sampled:
            yield (
                f"projection {q.name!r}: states of synapses that are updated at each step are not supported; export "
                "mode='rate', or let them change at spikes: State(tau_ms=..., on='spike_pre')"
            )
        if q.derived is not None and plan.projections[q.derived.projection].plastic:
            yield (
                f"projection {q.name!r}: its weight is tied to {q.derived.projection!r}, which changes, but a synapse "
                "cannot read the weight of another one; freeze the source, or give this projection its own rule"
            )
        for reduction in (reduction for s in q.sums for reduction in s.reductions):
            if reduction.kind.startswith("max"):
                yield (
                    f"projection {q.name!r}: its rule uses {reduction.kind}, but spiking synapses compute no other "
                    "reductions than sum_in, sum_out and mean; export mode='rate'"
                )


def _of_means(plan: Plan) -> Iterator[str]:
    """Means in a network without trials."""
    users = [f"population {p.name!r}: its trace" for p in plan.populations.values() if p.trace.has(f.mean)]
    users += [f"signal {name!r}: it" for name in plan.computed]
    users += [
        f"projection {q.name!r}: its rule"
        for q in plan.projections.values()
        if any(reduction.kind == "mean" for s in q.sums for reduction in s.reductions)
    ]
    for user in users:
        yield f"{user} takes a mean, which is one over trials, and trial=None has none"
