"""What the expressions of a plan read."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from circuitsim.plan.plan import Plan, ProjectionPlan, StatePlan
from circuitsim.rules import SlowTerm


def read_by(plan: Plan) -> set[sympy.Symbol]:
    """Every quantity that the populations, the batch means, the sums over synapses and the slow terms read.

    Args:
        plan: as it is, or with expressions written in another way.
    """
    read = set().union(*(m.post.free_symbols | m.pre.free_symbols for m in plan.moments))
    for p in plan.populations.values():
        read |= set().union(*(x.free_symbols for x in (p.activity, p.slope, p.trace, *p.states.values())))
    for owner in _owners(plan):
        assert owner.rule is not None
        # these have the rule's own names for the plan's quantities
        slow = [part for part in owner.rule.terms if isinstance(part, SlowTerm)]
        parts = [*slow, *(part for reduction in owner.rule.reductions for part in reduction.body)]
        read |= {owner.binding[symbol] for part in parts for symbol in part.symbols}
    return read


def _owners(plan: Plan) -> Iterator[ProjectionPlan | StatePlan]:
    for p in plan.projections.values():
        if p.rule is not None:
            yield p
        yield from p.states.values()
