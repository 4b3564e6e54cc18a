"""What rules read of each neuron: only that gets a trace."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.plan import Plan
from circuitsim.plan.quantities import quantity
from circuitsim.rules.vocabulary import local


@dataclass(frozen=True)
class Reads:
    """Names of populations and projections.

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
        """What the rules of a plan read."""
        traces, drives, currents = set(), set(), set()
        for p in plan.plastic():
            assert p.rule is not None
            names = {symbol.name for symbol in p.rule.symbols}
            if "pre" in names:
                traces.add(p.pre)
            if "slope_post" in names:
                traces.add(p.post)
            if names & {"post", "drive_post"}:
                drives.add(p.post)
            currents |= {q for q in plan.projections if local(f"I_{q}") in p.rule.symbols}
        for q in plan.populations.values():  # a gate reads whether its neuron fired lately
            gates = [g for g in plan.populations if quantity("slope", g) in q.activity.free_symbols and g != q.name]
            traces |= set(gates)
        return cls(frozenset(traces), frozenset(drives), frozenset(currents))
