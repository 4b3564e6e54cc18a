"""Features of circuits that the spiking export does not support. Each message names the object and the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from circuitsim.engine import Circuit
from circuitsim.export.brian2.refusals import of_rewiring, refuse_first
from circuitsim.export.brian2.spiking.delays import delay_faults
from circuitsim.export.brian2.spiking.lower import needed_for_outputs
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.plan.quantities import neuron
from circuitsim.rules.functions import OverNeurons


def refuse(circuit: Circuit, spiking: Spiking, plastic: bool = True) -> None:
    """Check that a circuit has no feature without a counterpart in a spiking network.

    Args:
        circuit: the circuit to be exported.
        spiking: neuron models, time constants and trials.
        plastic: whether rules are exported; if not, what only rules read is not checked.
    Raises:
        CircuitError: a feature has no counterpart.
    """
    reasons = itertools.chain(
        _of_inference(circuit, spiking),
        _of_rules(circuit) if plastic else (),
        delay_faults(circuit.plan, spiking, circuit.plan.populations if plastic else needed_for_outputs(circuit.plan)),
    )
    refuse_first(circuit.motif.name, reasons, " as spikes")


def _of_inference(circuit: Circuit, spiking: Spiking) -> Iterator[str]:
    plan = circuit.plan
    if len(circuit.plans) > 1:
        yield f"it has {len(circuit.plans)} phases, but a trial has the two volleys of a single cycle"
    elif plan.repeat != 1:
        yield f"phase {plan.phase!r} repeats, but a trial has the two volleys of a single cycle"
    for what, known in (("cells", plan.populations), ("delays", plan.projections)):
        for name in getattr(spiking, what):
            if name not in known:
                yield f"Spiking({what}=...) names {name!r}, which does not exist (known: {', '.join(known)})"
    for p in plan.populations.values():
        if p.target is not None:
            yield f"population {p.name!r}: the target drives it, which a trial plays to errors only; export mode='rate'"
        if reductions := p.activity.atoms(OverNeurons):
            yield (
                f"population {p.name!r}: its activation takes {min(map(str, reductions))} over all of its neurons, "
                "which no neuron model sees; export mode='rate'"
            )
        if p.name in plan.outputs and p.activity != neuron("drive", p.name):
            yield f"population {p.name!r}: an output must be linear, because its readout is graded (got {p.activity})"
        if p.noise or p.source == "kept":
            yield f"population {p.name!r}: noise and phases without drive are not supported; export mode='rate'"


def _of_rules(circuit: Circuit) -> Iterator[str]:
    plan = circuit.plan
    if plan.signals or plan.computed:
        yield f"signal {[*plan.signals, *plan.computed][0]!r}: no neuron carries it; export mode='rate'"
    for p in plan.populations.values():
        if p.computes_trace:
            yield (
                f"population {p.name!r}: its trace {p.trace} is no spike trace, and a batch mean needs samples "
                "that a neuron has not seen yet; declare the motif with trace=None"
            )
        if p.states or p.sampled:
            yield f"population {p.name!r}: states of neurons are not supported; export mode='rate'"
    yield from of_rewiring(circuit)
    for q in plan.projections.values():
        if q.pre in plan.outputs:
            yield f"projection {q.name!r}: its presynaptic population {q.pre!r} is a graded readout and sends no spikes"
        if q.states or q.sampled:
            yield f"projection {q.name!r}: states of synapses are not supported; export mode='rate'"
        if q.derived is not None and plan.projections[q.derived.projection].plastic:
            yield (
                f"projection {q.name!r}: its weight is tied to {q.derived.projection!r}, which changes, but a synapse "
                "cannot read the weight of another one; freeze the source, or give this projection its own rule"
            )
        for reduction in q.rule.reductions if q.rule is not None else ():
            if not reduction.kind.startswith("sum"):
                yield (
                    f"projection {q.name!r}: its rule uses {reduction.kind}, but spiking synapses compute no other "
                    "reductions than sum_in and sum_out; export mode='rate'"
                )
