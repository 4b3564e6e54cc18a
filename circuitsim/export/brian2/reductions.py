"""`sum`, `max`, `norm`, `softmax` and `rank` over a population: synapses from each neuron to all sum over the neurons
within the tick of a sample."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.means import Names, add_mean, link_mean
from circuitsim.export.brian2.parts import Wires
from circuitsim.rules import functions as f

# What the synapse from neuron i to neuron j adds to the total at j, and the reduction at j as a function of the total.
# The maximum is what the neuron of rank 0 adds. Where softmax's total overflows, it is correctly 0.
TOTALS = {
    "sum": ("{x}_pre", "{total}"),
    "max": ("where(int({rank}_pre == 0.0), {x}_pre, 0.0)", "{total}"),
    "norm": ("{x}_pre**2", "sqrt({total})"),
    "softmax": ("exp({x}_pre - {x}_post)", "1.0/{total}"),
    "rank": ("1.0*int(({x}_pre > {x}_post) or (({x}_pre == {x}_post) and (i < j)))", "{total}"),
}


def take_reductions(
    t: Blueprint, group: str, expressions: Iterable[sympy.Expr], names: Names, suffix: str
) -> list[sympy.Expr]:
    """Replace each mean and each reduction in expressions over a group's variables, innermost first, by a symbol that
    is added to `names`."""

    @functools.cache
    def take(reduction: sympy.Expr) -> sympy.Symbol:
        (body,) = reduction.args
        if isinstance(reduction, f.mean):
            found = add_mean(t, group, body, names, suffix)
            names[found] = link_mean(t, found, group)
        else:
            variable = _reduced(t, group, type(reduction).__name__, text(body, names))
            found = sympy.Symbol(f"{group}:{variable}", real=True)
            names[found] = variable
        return found

    kinds = (f.mean, f.OverNeurons)
    return [e.replace(lambda part: isinstance(part, kinds), take, simultaneous=False) for e in expressions]


def _reduced(t: Blueprint, group: str, kind: str, argument: str) -> str:
    """Transcribe one reduction, and return the group's variable that holds it."""
    rank = _reduced(t, group, "rank", argument) if kind == "max" else ""
    wiring, size = f"{group}_reductions", t.neurons[group].size
    if wiring not in t.wires:
        pre, post = np.divmod(np.arange(size**2), size)
        t.add(Wires(wiring, group, group, pre, post))
    k = len(t.sums(wiring))
    variable, x, total = f"{kind}_{k}", f"argument_{k}", f"total_{k}"
    added, result = (form.format(x=x, rank=rank, total=total) for form in TOTALS[kind])
    for name in (x, variable):
        t.neurons[group].declare(name)
    t.run(group, f"{x} = {argument}")
    t.sum(wiring, f"{total}_post", added)
    t.run(group, f"{variable} = {result}")
    return variable
