"""`mean(...)` over batch and population: a neuron beside the group adds up one pass and serves the next."""

from __future__ import annotations

import numpy as np
import sympy

from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.parts import Group, Wiring
from circuitsim.export.brian2.transcript import Transcript
from circuitsim.plan import PopulationPlan
from circuitsim.rules import functions as f


def take_means(
    t: Transcript, p: PopulationPlan, expression: sympy.Expr, names: dict[sympy.Symbol, str], suffix: str
) -> sympy.Expr:
    """The expression with a symbol, known to `names`, in place of each mean; innermost ones first."""
    if not expression.args:
        return expression
    expression = expression.func(*(take_means(t, p, argument, names, suffix) for argument in expression.args))
    if not isinstance(expression, f.mean):
        return expression
    hub, inputs = f"{p.name}_mean{suffix}", f"{p.name}_mean_inputs{suffix}"
    if hub not in t.groups:
        t.add(Group(hub, 1))
        t.add(Wiring(inputs, p.name, hub, np.arange(p.size), np.zeros(p.size, dtype=int)))
        t.link_to_batch(hub, "share", "opens")
    k = len(t.wirings[inputs].sums)
    mean = sympy.Symbol(f"mean_{k}{suffix}", real=True)
    for variable in (mean.name, f"running_{k}"):
        t.groups[hub].declare(variable)
    at_inputs = {symbol: f"{name}_{'post' if symbol.name == name else 'pre'}" for symbol, name in names.items()}
    t.sum(inputs, f"total_{k}_post", text(expression.args[0], at_inputs))
    t.run(
        hub,
        f"{mean} = where(opens, running_{k}, {mean})",
        f"running_{k} = where(opens, 0.0, running_{k}) + share*total_{k}/{float(p.size)}",
    )
    t.groups[p.name].link(mean.name, hub, mean.name)
    names[mean] = mean.name
    return mean
