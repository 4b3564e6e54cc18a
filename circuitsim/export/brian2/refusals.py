"""Features of circuits that the rate export does not support. Each message names the object and the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError
from circuitsim.motif import Motif
from circuitsim.motif.phase import TIME
from circuitsim.motif.state import lasting
from circuitsim.plan import Plan


def refuse(circuit: Circuit, runs_python: bool) -> None:
    """Check that a circuit has no feature without a counterpart in Brian2.

    Args:
        circuit: the circuit to be exported.
        runs_python: whether Python code can run between ticks.
    Raises:
        CircuitError: a feature has no counterpart.
    """
    refuse_first(circuit.motif.name, _reasons(circuit, runs_python))


def _reasons(circuit: Circuit, runs_python: bool) -> Iterator[str]:
    for phase in circuit.motif.phases:
        if phase.repeat == TIME:
            yield f"phase {phase.name!r} repeats over time, but a tick presents each phase once"
        elif phase.repeat != 1:
            yield f"phase {phase.name!r} repeats {phase.repeat} times, but a tick presents each phase once"
        if phase.apply == "step":
            yield f"phase {phase.name!r} applies changes at the end of the step, but a pass makes those of its phase"
    for p in circuit.motif.projections:
        if p.delay:
            yield f"projection {p.name!r} has a delay of {p.delay} iterations, but currents arrive in the same tick"
    yield from of_states_per_sample(circuit.motif)
    yield from of_rewiring(circuit.motif)
    if not runs_python:
        yield from itertools.chain.from_iterable(map(_maxima, circuit.plans))


def of_states_per_sample(motif: Motif) -> Iterator[str]:
    """Yield why states per sample cannot be exported."""
    for kind, owners in (("population", motif.populations), ("projection", motif.projections)):
        for owner in owners:
            for name in sorted(owner.state.keys() - lasting(owner.state).keys()):
                yield f"{kind} {owner.name!r}: its state {name!r} is per sample, but a network in Brian2 has one value"


def of_rewiring(motif: Motif) -> Iterator[str]:
    """Yield why synapses that come and go cannot be exported."""
    for p in motif.projections:
        if p.rewiring is not None:
            yield (
                f"projection {p.name!r} is rewired every {p.rewiring.every_steps} steps, but the synapses of a network "
                "in Brian2 stay where they are"
            )


def refuse_first(motif: str, reasons: Iterable[str], mode: str = "") -> None:
    """Raise a CircuitError with the first reason, if any. Later ones may rely on earlier ones, and are not computed."""
    for reason in reasons:
        raise CircuitError(f"motif {motif!r} cannot be exported to Brian2{mode}: {reason}")


def _maxima(plan: Plan) -> Iterator[str]:
    for p in plan.projections.values():
        for reduction in [r for rule in (p.rule, *p.states.values()) if rule is not None for r in rule.reductions]:
            if reduction.kind.startswith("max"):
                yield (
                    f"projection {p.name!r}: its rule uses {reduction.kind}, which is computed in Python between ticks "
                    "because Brian2 has no maximum over synapses; a standalone program cannot do this, so use target "
                    "'numpy'"
                )
