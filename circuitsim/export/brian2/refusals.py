"""What a rate export cannot say. Each message names the object and the reason."""

from __future__ import annotations

from collections.abc import Iterator

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError
from circuitsim.plan import Plan


def refuse(circuit: Circuit, runs_python: bool) -> None:
    """Look for what has no counterpart.

    Args:
        circuit: to be exported.
        runs_python: whether Python code can run between the ticks.
    Raises:
        CircuitError: something has none.
    """
    for reason in _reasons(circuit, runs_python):
        raise CircuitError(f"motif {circuit.motif.name!r} cannot be exported to Brian2: {reason}")


def _reasons(circuit: Circuit, runs_python: bool) -> Iterator[str]:
    if not runs_python:
        for plan in circuit.plans:
            yield from _maxima(plan)


def _maxima(plan: Plan) -> Iterator[str]:
    for p in plan.projections.values():
        rules = [p.rule, *(state.rule for state in p.states.values())]
        for reduction in [r for rule in rules if rule is not None for r in rule.reductions]:
            if reduction.kind.startswith("max"):
                yield (
                    f"projection {p.name!r}: its rule uses {reduction.kind}, and Brian2 has no maximum over synapses; "
                    "it is taken in Python between the ticks, which a standalone program does not allow: use target "
                    "'numpy'"
                )
