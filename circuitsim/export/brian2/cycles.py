"""The phases of a step in Brian2, where one tick processes one sample.

A later phase reads the values that an earlier phase computed for each sample, and the weights that the earlier phase
changed. Therefore every tick takes its sample through all phases, and the batch is presented once more for each phase.
During a phase's presentation its changes are summed, while earlier phases run with the weights that they used before.
Each phase therefore has its own variables for the weights and states that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from circuitsim.motif import Motif
from circuitsim.plan import Plan

WEIGHT = "w"


@dataclass(frozen=True)
class Cycle:
    """One phase of a step.

    Args:
        phase: the phase's name.
        plan: what the phase computes.
        suffix: the suffix of the phase's own variables, "" if the motif has a single phase.
        changing: the projections whose weights differ between phases.
    """

    phase: str
    plan: Plan
    suffix: str
    changing: frozenset[str]

    def weight(self, projection: str) -> str:
        """The synaptic variable that holds the weight at the start of this phase."""
        return WEIGHT + self.suffix if projection in self.changing else WEIGHT

    def current(self, projection: str) -> str:
        """The variable of the postsynaptic neurons that holds the current of this phase."""
        return f"I_{projection}{self.suffix}"


def cycles_of(motif: Motif, plans: Iterable[Plan]) -> tuple[Cycle, ...]:
    """The phases of a step, in order.

    Args:
        motif: the declaration.
        plans: one for each phase.
    """
    plans = tuple(plans)
    changed = {p.name for plan in plans for p in plan.plastic()}
    changing = {p.name for p in motif.projections if (p.tied_to.projection if p.tied_to else p.name) in changed}
    return tuple(
        Cycle(phase.name, plan, f"_{phase.name}" if len(plans) > 1 else "", frozenset(changing))
        for phase, plan in zip(motif.phases, plans, strict=True)
    )
