"""Slopes of spiking neurons, which are represented by whether a neuron fired recently.

In a plan, a slope that is a comparison, as for ReLU, appears as an expression, ``greater(up1.drive@post, 0)``; other
slopes appear as a symbol, ``up1.slope@post``.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import POST, at, neuron
from circuitsim.rules import Sum
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
