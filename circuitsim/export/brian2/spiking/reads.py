"""The quantities that rules read. Only these get a trace."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from circuitsim.export.brian2.spiking.slopes import gate_of, read_by, slopes_at_post
from circuitsim.plan import Plan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron, of
from circuitsim.rules import functions as f


@dataclass(frozen=True)
class Reads:
    """The populations and projections whose traces, drives or currents rules read.

    Args:
        traces: populations whose spike trace is read (as `pre`, `post` or `slope_post`, or in a mean).
        drives: populations whose low-passed drive is read (as `drive_post`, or as `post` of a readout).
        currents: projections whose low-passed current is read (as `I_<projection>`).
    """

    traces: frozenset[str]
    drives: frozenset[str]
    currents: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Reads:
        """Collect what the rules of a plan read."""
        traces: set[str] = set()
        drives: set[str] = set()
        currents: set[str] = set()
        for p in plan.projections.values():
            slopes = slopes_at_post(plan.populations[p.post])
            read = set().union(*(read_by(s, slopes) for s in p.sums))
            if not read.isdisjoint(at(neuron(kind, p.pre), PRE) for kind in ("activity", "trace")):
                traces.add(p.pre)
            if not read.isdisjoint(slopes):
                traces.add(p.post)
            if not read.isdisjoint(at(neuron(kind, p.post), POST) for kind in ("activity", "trace")):
                (drives if p.post in plan.outputs else traces).add(p.post)
            if at(neuron("drive", p.post), POST) in read:
                drives.add(p.post)
            currents |= {q for q in plan.projections if at(current(q), POST) in read}
        traces |= {of(s).partition(".")[0] for s in _averaged(plan)}
        for q in plan.populations.values():  # a gate reads whether its neuron fired lately
            traces |= {gate} if (gate := gate_of(plan, q)) is not None else set()
        return cls(frozenset(traces), frozenset(drives), frozenset(currents))


def _averaged(plan: Plan) -> set[sympy.Symbol]:
    """What means take of neurons, in rules and, if there are rules, in traces and signals."""
    rules = [s for p in plan.projections.values() for s in p.sums]
    declared = [*(p.trace for p in plan.populations.values() if p.computes_trace), *plan.computed.values()]
    means = [mean for e in declared for mean in e.atoms(f.mean)] if rules else []
    means += [e for s in rules for r in s.reductions if r.kind == "mean" for part in r.body for e in part.expressions]
    return {s for s in set().union(*(e.free_symbols for e in means)) if "." in s.name}
