"""How often the samples of a batch are presented before the rules of a phase can be applied.

Brian2 sees one sample per tick, but the mean that a trace takes runs over the whole batch, and a shuffled error is
that of a neighbouring sample. So a batch is presented several times: what a pass sums up or leaves behind, the next
one reads. The weights do not change in between, so that a quantity which reads only right ones is right from then on.
"""

from __future__ import annotations

import sympy

from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import quantity
from circuitsim.rules import functions as f


def n_passes(plan: Plan) -> int:
    """1, plus 1 for every mean over the batch or shuffled error that another one has to wait for."""
    first: dict[sympy.Symbol, int] = {}  # the first pass in which each quantity is right; those not in it always are
    for p in (p for p in plan.populations.values() if p.source != "kept"):  # those are right since an earlier phase
        drive, activity, slope = (quantity(kind, p.name) for kind in ("drive", "activity", "slope"))
        first[drive] = _drive(plan, p, first)
        first[activity] = _expression(p.activity, first)
        first[slope] = _expression(p.slope, first)
        first[quantity("trace", p.name)] = _expression(p.trace, first)
    states = [_expression(update, first) for p in plan.populations.values() for update in p.states.values()]
    return 1 + max([*first.values(), *states])


def _drive(plan: Plan, p: PopulationPlan, first: dict[sympy.Symbol, int]) -> int:
    waits = [first.get(quantity("activity", plan.projections[name].pre), 0) for name in p.soma]
    waits += [first.get(quantity("activity", o.output), 0) + o.shuffled for o in plan.objectives if o.error == p.name]
    return max(waits, default=0)


def _expression(e: sympy.Expr, first: dict[sympy.Symbol, int]) -> int:
    if e.is_Symbol:
        return first.get(e, 0)
    return max((_expression(a, first) for a in e.args), default=0) + isinstance(e, f.mean)
