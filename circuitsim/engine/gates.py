"""Slopes that are 1 or 0, as ReLU's are, written where they are read: ``I[V1]*greater(drive[up1], 0)``.

A slope that only gates other quantities needs no tensor of its own: `lower` does product and comparison in one pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import quantity
from circuitsim.plan.reads import read_by
from circuitsim.rules.functions import greater


def with_gates(plans: Sequence[Plan]) -> list[Plan]:
    """The plans of all phases, with such slopes written out as factors, and computed only where they are still read.

    Args:
        plans: of all phases: a later one may read what an earlier one computes.
    """
    written = [_written(plan) for plan in plans]
    read = set().union(*(read_by(plan) for plan in written))
    return [
        _with_populations(plan, lambda p: {"computes_slope": p.computes_slope and quantity("slope", p.name) in read})
        for plan in written
    ]


def _written(plan: Plan) -> Plan:
    """With the slopes of the populations that this phase drives; what a phase before left is read by its name."""
    slopes = {
        quantity("slope", p.name): p.slope
        for p in plan.populations.values()
        if p.source == "soma" and p.slope.func is greater and p.slope.args[1].is_Number
    }
    moments = tuple(
        dataclasses.replace(m, post=m.post.xreplace(slopes), pre=m.pre.xreplace(slopes)) for m in plan.moments
    )

    def fields(p: PopulationPlan) -> dict[str, Any]:
        expressions = {kind: getattr(p, kind).xreplace(slopes) for kind in ("activity", "slope", "trace")}
        return expressions | {"states": {name: update.xreplace(slopes) for name, update in p.states.items()}}

    return _with_populations(dataclasses.replace(plan, moments=moments), fields)


def _with_populations(plan: Plan, fields: Callable[[PopulationPlan], dict[str, Any]]) -> Plan:
    changed = {name: dataclasses.replace(p, **fields(p)) for name, p in plan.populations.items()}
    return dataclasses.replace(plan, populations=changed)
