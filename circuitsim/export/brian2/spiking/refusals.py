"""What spikes cannot say, or what Brian2's targets would say differently; each with the object and the reason."""

from __future__ import annotations

from collections.abc import Iterator

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.plan.quantities import quantity


def refuse(circuit: Circuit, spiking: Spiking, plastic: bool = True) -> None:
    """Look for what has no counterpart.

    Args:
        circuit: to be exported.
        spiking: what it is to become.
        plastic: whether its rules are; what only they read is not looked at otherwise.
    Raises:
        CircuitError: something has none.
    """
    reasons = [*_of_inference(circuit, spiking), *(_of_rules(circuit) if plastic else ())]
    for reason in reasons:
        raise CircuitError(f"motif {circuit.motif.name!r} cannot be exported to Brian2 as spikes: {reason}")


def _of_inference(circuit: Circuit, spiking: Spiking) -> Iterator[str]:
    plan = circuit.plan
    if len(circuit.plans) > 1:
        yield f"it has {len(circuit.plans)} phases, and a trial has the two volleys of one cycle alone"
    for what, known in (("cells", plan.populations), ("delays", plan.projections)):
        for name in getattr(spiking, what):
            if name not in known:
                yield f"Spiking({what}=...) names {name!r}, which is not there (known: {', '.join(known)})"
    for p in plan.populations.values():
        if p.name in plan.outputs and p.activity != quantity("drive", p.name):
            yield f"population {p.name!r}: an output is graded and linear, not {p.activity}"
        if p.noise or p.source == "kept":
            yield f"population {p.name!r}: noise and phases without drive are for the rate circuit"


def _of_rules(circuit: Circuit) -> Iterator[str]:
    plan = circuit.plan
    if plan.signals:
        yield f"signal {plan.signals[0]!r}: no neuron carries it; export mode='rate'"
    for p in plan.populations.values():
        if p.trace != quantity("activity", p.name):
            yield (
                f"population {p.name!r}: its trace {p.trace} is no spike trace, and a batch mean needs samples "
                "that a neuron has not seen yet; declare the motif with trace=None"
            )
        if p.states:
            yield f"population {p.name!r}: states of neurons are for the rate circuit"
    for q in plan.projections.values():
        if q.pre in plan.outputs:
            yield f"projection {q.name!r}: its presynaptic population {q.pre!r} is a graded readout and sends no spikes"
        if q.states:
            yield f"projection {q.name!r}: states of synapses are for the rate circuit"
        if q.derived is not None and plan.projections[q.derived.projection].plastic:
            yield (
                f"projection {q.name!r}: its weight is tied to {q.derived.projection!r}, which changes: a synapse does "
                "not know the weight of another one; freeze the source, or give it a rule of its own"
            )
        rules = [q.rule] if q.rule is not None else []
        for reduction in [r for rule in rules for r in rule.reductions]:
            if reduction.kind.startswith("max"):
                yield (
                    f"projection {q.name!r}: its rule uses {reduction.kind}, and Brian2 has no maximum over synapses "
                    "that all of its targets compute"
                )
