"""Reductions over a population.

`mean(...)` is one over batch and population: an auxiliary neuron averages over the neurons of a group and over samples.
In a network of rates it sums over one pass through the batch, and the next pass reads the mean. In a spiking network it
averages over the last trials (`spiking.pools`).

For `sum`, `max`, `norm`, `softmax` and `rank`, synapses from each neuron to all sum over the neurons within the tick of
a sample.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.export.brian2.replica import Cycle
from circuitsim.motif import Objective
from circuitsim.plan.quantities import of, signal
from circuitsim.rules import functions as f

Average = Callable[[Neurons, str, str, int], tuple[str, ...]]

# What the synapse from neuron i to neuron j adds to the total at j, and the reduction at j as a function of the total.
# The maximum is what the neuron of rank 0 adds. Where softmax's total overflows, it is correctly 0.
TOTALS = {
    "sum": ("{x}_pre", "{total}"),
    "max": ("where(int({rank}_pre == 0.0), {x}_pre, 0.0)", "{total}"),
    "norm": ("{x}_pre**2", "sqrt({total})"),
    "softmax": ("exp({x}_pre - {x}_post)", "1.0/{total}"),
    "rank": ("1.0*int(({x}_pre > {x}_post) or (({x}_pre == {x}_post) and (i < j)))", "{total}"),
}
# Minus the gradient of one sample's loss. Brian2 has no maximum over neurons, so the softmax is computed as
# 1 / sum_j exp(y_j - y_i); where the sum overflows, it is correctly 0.
ERRORS = {
    "cross_entropy": "target - 1.0/normaliser",
    "mse": "target - output",
    "bce": "target - 1.0/(1.0 + exp(-output))",
}


def take_reductions(
    t: Blueprint, group: str, expressions: Iterable[sympy.Expr], names: dict[sympy.Expr, str], suffix: str
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
        t.add(Wires(wiring, group, group, *np.indices((size, size)).reshape(2, -1)))
    k = len(t.sums(wiring))
    variable, x, total = f"{kind}_{k}", f"argument_{k}", f"total_{k}"
    added, result = (form.format(x=x, rank=rank, total=total) for form in TOTALS[kind])
    for name in (x, variable):
        t.neurons[group].declare(name)
    t.run(group, f"{x} = {argument}")
    t.sum(wiring, f"{total}_post", added)
    t.run(group, f"{variable} = {result}")
    return variable


def over_passes(hub: Neurons, variable: str, total: str, size: int) -> tuple[str, ...]:
    """Let a variable of the auxiliary neuron be the mean over the pass before, and return the statements of each tick.
    `total` is its variable for the sum over `size` neurons."""
    running = f"running_{variable}"
    for name in (variable, running):
        hub.declare(name)
    return (
        f"{variable} = where(opens(t), {running}, {variable})",
        f"{running} = where(opens(t), 0.0, {running}) + share(t)*{total}/{float(size)}",
    )


def add_mean(
    t: Blueprint, group: str, body: sympy.Expr, names: Mapping[sympy.Expr, str], suffix: str = "",
    average: Average = over_passes,
) -> sympy.Symbol:  # fmt: skip
    """Transcribe the mean of an expression over the neurons of a group, unless it is there already.

    Args:
        t, group: the blueprint, and the group whose variables the expression reads.
        body: the expression, in which other means are symbols.
        names: the group's variables, keyed by symbol.
        suffix: the phase's suffix.
        average: adds the variable that averages over samples to the auxiliary neuron.
    Returns:
        A symbol for the mean. `link_mean` gives it a name in a group.
    """
    hub, inputs, size = f"{group}_mean{suffix}", f"{group}_mean_inputs{suffix}", t.neurons[group].size
    if hub not in t.neurons:
        t.add(Neurons(hub, 1))
        t.add(Wires(inputs, group, hub, np.arange(size), np.zeros(size, dtype=int)))
    # an array over time is the same at both ends of a synapse
    at_inputs = {s: name if name.endswith("(t)") else f"{name}_pre" for s, name in names.items()}
    for inner in filter(is_mean, in_order(body.free_symbols)):
        owner, _, known = inner.name.partition(":")
        at_inputs[inner] = f"{known}_post" if owner == hub else f"{copy_mean(t, inner, group)}_pre"
    summed, sums = text(body, at_inputs), t.sums(inputs)
    k = sums.index(summed) if summed in sums else len(sums)
    variable = f"mean_{k}{suffix}"
    mean = sympy.Symbol(f"{hub}:{variable}", real=True)
    if k < len(sums):
        return mean
    statements = average(t.neurons[hub], variable, f"total_{k}", size)
    t.sum(inputs, f"total_{k}_post", summed)
    t.run(hub, *statements)
    return mean


def in_order(symbols: Iterable[sympy.Symbol]) -> list[sympy.Symbol]:
    """Symbols in an order that is the same in every process, unlike that of a set. What is added to a blueprint in
    another order makes another program."""
    return sorted(symbols, key=str)


def is_mean(symbol: sympy.Symbol) -> bool:
    """Whether a symbol comes from `add_mean`."""
    hub, _, variable = symbol.name.partition(":")
    return "_mean" in hub and variable.startswith("mean_")


def link_mean(t: Blueprint, mean: sympy.Symbol, group: str) -> str:
    """Let a group read a mean, and return its name there."""
    hub, _, variable = mean.name.partition(":")
    name = variable if hub.startswith(f"{group}_mean") else f"{hub}_{variable}"
    t.neurons[group].link(name, hub, variable)
    return name


def copy_mean(t: Blueprint, mean: sympy.Symbol, group: str) -> str:
    """Let a group keep a copy of a mean, and return its name. At a synapse Brian2 cannot read a linked variable."""
    linked = link_mean(t, mean, group)
    name = f"copy_of_{linked}"
    if name not in t.neurons[group].variables:
        t.neurons[group].declare(name)
        t.run(group, f"{name} = {linked}")
    return name


def without_ends(expression: sympy.Expr) -> sympy.Expr:
    """An expression in quantities at one end of a synapse, as one in those of neurons."""
    return expression.xreplace({s: sympy.Symbol(of(s), real=True) for s in expression.free_symbols})


def computed_signals(t: Blueprint, cycle: Cycle) -> dict[sympy.Symbol, sympy.Expr]:
    """The signals that the circuit computes, as expressions in means, which are taken innermost first."""

    def take(body: sympy.Expr) -> sympy.Symbol:
        """Transcribe a mean of quantities of populations, in which other means are symbols."""
        symbols = {s: of(s).partition(".") for s in in_order(body.free_symbols) if not is_mean(s)}
        group = min((owner for owner, _, _ in symbols.values()), default=next(iter(cycle.plan.populations)))
        names = {}
        for symbol, (owner, _, kind) in symbols.items():
            names[symbol] = kind if owner == group else f"{kind}_{owner}"
            if owner != group:
                t.neurons[group].link(names[symbol], owner, kind)
        return add_mean(t, group, body, names, cycle.suffix)

    return {signal(name): e.replace(f.mean, take, simultaneous=False) for name, e in cycle.plan.computed.items()}


def add_softmax(t: Blueprint, name: str, objective: Objective, target: str, output: str) -> None:
    """Add synapses from each output neuron to all error neurons, which sum up the normaliser of a softmax of the
    variable `output`, into the variable `target` of the error population."""
    size = t.neurons[objective.output].size
    t.add(Wires(name, objective.output, objective.error, *np.indices((size, size)).reshape(2, -1)))
    t.sum(name, target, f"exp({output}_pre - output_post)")
