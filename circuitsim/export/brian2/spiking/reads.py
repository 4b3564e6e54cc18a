"""What rules read. Only that gets a trace.

The slope of a spiking neuron is represented by whether it fired recently. In a plan, a slope that is a comparison, as
for ReLU, appears as an expression, ``greater(up1.drive@post, 0)``; other slopes appear as a symbol, ``up1.slope@post``.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import POST, PRE, at, current, neuron, of
from circuitsim.rules import Sum
from circuitsim.rules import functions as f
from circuitsim.rules.functions import COMPARISONS


def slopes_of(p: PopulationPlan) -> list[sympy.Expr]:
    """The expressions that denote a population's slope where another population reads it."""
    is_comparison = isinstance(p.slope, COMPARISONS) and p.slope.free_symbols == {neuron("drive", p.name)}
    return [neuron("slope", p.name), *([p.slope] if is_comparison else [])]


def slopes_at_post(p: PopulationPlan) -> list[sympy.Expr]:
    """The expressions that denote a population's slope where a rule reads it."""
    return [slope.xreplace({s: at(s, POST) for s in slope.free_symbols}) for slope in slopes_of(p)]


def gate_of(plan: Plan, p: PopulationPlan) -> str | None:
    """The population that gates this one, whose activation is ``drive * slope_<gate>``; None if there is none."""
    rest = sympy.cancel(p.activity / neuron("drive", p.name))
    return next((gate.name for gate in plan.populations.values() if gate is not p and rest in slopes_of(gate)), None)


def read_by(rule: Sum, wholes: Iterable[sympy.Expr]) -> set[sympy.Expr]:
    """The symbols that a rule reads, except that each of `wholes`, such as a slope, counts as one, and not the symbols
    in it."""
    parts = [*rule.terms, *(term for reduction in rule.reductions for term in reduction.body)]
    return symbols_of([e for part in parts for e in part.expressions], wholes)


def symbols_of(expressions: Iterable[sympy.Expr], wholes: Iterable[sympy.Expr]) -> set[sympy.Expr]:
    """The symbols in expressions, except that each of `wholes` counts as one."""
    open_ends, found, wholes = list(expressions), set(), set(wholes)
    while open_ends:
        e = open_ends.pop()
        if e.is_Symbol or e in wholes:
            found.add(e)
        else:
            open_ends += e.args
    return found


class Reads:
    """What rules read of populations and projections.

    Attributes:
        traces: populations whose spike trace is read (as `pre`, `post` or `slope_post`, or in a mean).
        drives: populations whose low-passed drive is read (as `drive_post`, or as `post` of a readout).
        currents: projections whose low-passed current is read (as `I_<projection>`).
    """

    def __init__(self, plan: Plan) -> None:
        self.traces = {of(s).partition(".")[0] for s in _averaged(plan)}
        self.drives: set[str] = set()
        self.currents: set[str] = set()
        for p in plan.projections.values():
            slopes = slopes_at_post(plan.populations[p.post])
            read = set().union(*(read_by(s, slopes) for s in p.sums))
            if not read.isdisjoint(at(neuron(kind, p.pre), PRE) for kind in ("activity", "trace")):
                self.traces.add(p.pre)
            if not read.isdisjoint(slopes):
                self.traces.add(p.post)
            if not read.isdisjoint(at(neuron(kind, p.post), POST) for kind in ("activity", "trace")):
                (self.drives if p.post in plan.outputs else self.traces).add(p.post)
            if at(neuron("drive", p.post), POST) in read:
                self.drives.add(p.post)
            self.currents |= {q for q in plan.projections if at(current(q), POST) in read}
        for q in plan.populations.values():  # a gate reads whether its neuron fired lately
            if (gate := gate_of(plan, q)) is not None:
                self.traces.add(gate)


def _averaged(plan: Plan) -> set[sympy.Symbol]:
    """What means take of neurons, in rules and, if there are rules, in traces and signals."""
    rules = [s for p in plan.projections.values() for s in p.sums]
    declared = [*(p.trace for p in plan.populations.values() if p.computes_trace), *plan.computed.values()]
    means = [mean for e in declared for mean in e.atoms(f.mean)] if rules else []
    means += [e for s in rules for r in s.reductions if r.kind == "mean" for part in r.body for e in part.expressions]
    return {s for s in set().union(*(e.free_symbols for e in means)) if "." in s.name}
