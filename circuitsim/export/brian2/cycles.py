"""The phases of a step, in a tick that knows one sample.

A later phase reads what every sample left in an earlier one, and the weights that the earlier one has changed in
between. So every tick takes its sample through all phases, and the batch is presented anew for each phase: while
that of a phase is on, its changes add up, and the phases before it run with the weights that they had in their turn.
What a phase reads of weights and states is for that kept in a variable of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from circuitsim.motif import Motif
from circuitsim.plan import Plan

WEIGHT = "w"


@dataclass(frozen=True)
class Cycle:
    """One phase.

    Args:
        phase: its name.
        plan: what it does.
        suffix: what the names of its own variables end with; nothing in a motif of one phase.
        changing: the projections whose weights are not the same in all phases.
    """

    phase: str
    plan: Plan
    suffix: str
    changing: frozenset[str]

    def weight(self, projection: str) -> str:
        """The variable of the synapses that holds the weight as this phase finds it."""
        return WEIGHT + self.suffix if projection in self.changing else WEIGHT

    def current(self, projection: str) -> str:
        """The variable of the postsynaptic neurons that holds the current of this phase."""
        return f"I_{projection}{self.suffix}"


def cycles_of(motif: Motif, plans: Iterable[Plan]) -> tuple[Cycle, ...]:
    """The phases of a step, in order.

    Args:
        motif: knows their names.
        plans: one for each.
    """
    plans = tuple(plans)
    changed = {p.name for plan in plans for p in plan.plastic()}
    changing = {p.name for p in motif.projections if (p.weight.projection if p.weight else p.name) in changed}
    return tuple(
        Cycle(phase.name, plan, f"_{phase.name}" if len(plans) > 1 else "", frozenset(changing))
        for phase, plan in zip(motif.phases, plans, strict=True)
    )
