"""The quantities that rules read. Only these get a trace."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.export.brian2.spiking.slopes import gate_of, read_by, slopes_at_post
from circuitsim.plan import Plan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron


@dataclass(frozen=True)
class Reads:
    """The populations and projections whose traces, drives or currents rules read.

    Args:
        traces: populations whose spike trace is read (as `pre`, or as `slope_post`).
        drives: populations whose low-passed drive is read (as `post` or `drive_post`).
        currents: projections whose low-passed current is read (as `I_<projection>`).
    """

    traces: frozenset[str]
    drives: frozenset[str]
    currents: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Reads:
        """Collect what the rules of a plan read."""
        traces, drives, currents = set(), set(), set()
        for p in plan.projections.values():
            slopes = slopes_at_post(plan.populations[p.post])
            read = set().union(*(read_by(s, slopes) for s in p.sums))
            if at(neuron("activity", p.pre), PRE) in read:
                traces.add(p.pre)
            if not read.isdisjoint(slopes):
                traces.add(p.post)
            if not read.isdisjoint(at(neuron(kind, p.post), POST) for kind in ("activity", "drive")):
                drives.add(p.post)
            currents |= {q for q in plan.projections if at(current(q), POST) in read}
        for q in plan.populations.values():  # a gate reads whether its neuron fired lately
            traces |= {gate} if (gate := gate_of(plan, q)) is not None else set()
        return cls(frozenset(traces), frozenset(drives), frozenset(currents))
