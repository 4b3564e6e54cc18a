"""The number of passes through a batch that a phase needs before its rules can be applied.

Brian2 sees one sample per tick, but a trace may take a mean over the whole batch, and a shuffled error belongs to the
previous sample. A batch is therefore presented several times, and each pass reads what the pass before it summed up or
stored. The weights do not change between passes, so a quantity that reads only final values is final from then on.
"""

from __future__ import annotations

import sympy

from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import current, neuron, of, signal
from circuitsim.rules import functions as f


def n_passes(plan: Plan) -> int:
    """The length of the longest chain of batch means and shuffled errors in which each reads the one before, plus 1."""
    first: dict[sympy.Symbol, int] = {}  # the first pass in which each quantity is final; others always are
    for p in (p for p in plan.populations.values() if p.source != "kept"):  # kept values are final from the start
        drive, activity, slope = (neuron(kind, p.name) for kind in ("drive", "activity", "slope"))
        first[drive] = _drive(plan, p, first)
        first[activity] = _expression(p.activity, first)
        first[slope] = _expression(p.slope, first)
        first[neuron("trace", p.name)] = _expression(p.trace, first)
    for q in plan.projections.values():
        p = plan.populations[q.pre]
        first[current(q.name)] = first.get(neuron("activity", p.name) if q.compartment == "soma" else p.seen, 0)
    for name, expression in plan.computed.items():
        first[signal(name)] = _expression(expression, first)
    rest = [_expression(update, first) for p in plan.populations.values() for update in p.states.values()]
    for rule in (r for q in plan.projections.values() for r in (q.rule, *q.states.values()) if r is not None):
        for mean in rule.reductions:  # innermost first
            inside = max((_rule_symbol(s, first) for part in mean.body for s in part.symbols), default=0)
            first[mean.symbol] = inside + (mean.kind == "mean")
        rest += [_rule_symbol(symbol, first) for symbol in rule.symbols]
    return 1 + max([0, *first.values(), *rest])


def _rule_symbol(symbol: sympy.Symbol, first: dict[sympy.Symbol, int]) -> int:
    """The first pass in which a quantity is final that a rule reads at one end of a synapse."""
    return first.get(symbol, first.get(sympy.Symbol(of(symbol), real=True), 0))


def _drive(plan: Plan, p: PopulationPlan, first: dict[sympy.Symbol, int]) -> int:
    waits = [first.get(neuron("activity", plan.projections[name].pre), 0) for name in p.soma]
    waits += [first.get(neuron("activity", o.output), 0) + o.shuffled for o in plan.objectives if o.error == p.name]
    return max(waits, default=0)


def _expression(e: sympy.Expr, first: dict[sympy.Symbol, int]) -> int:
    if e.is_Symbol:
        return first.get(e, 0)
    return max((_expression(a, first) for a in e.args), default=0) + isinstance(e, f.mean)
