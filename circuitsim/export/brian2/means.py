"""`mean(...)` over batch and population: an auxiliary neuron averages over the neurons of a group and over samples.

In a network of rates it sums over one pass through the batch, and the next pass reads the mean. In a spiking network it
averages over the last trials (`spiking.pools`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
import sympy

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.cycles import Cycle
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.parts import Neurons, Wires
from circuitsim.plan.quantities import of, signal
from circuitsim.rules import functions as f

Names = dict[sympy.Expr, str]
Average = Callable[[Neurons, str, str, int], tuple[str, ...]]


def over_passes(hub: Neurons, variable: str, total: str, size: int) -> tuple[str, ...]:
    """Let a variable be the mean over the pass before, and return the statements of each tick.

    Args:
        hub: the auxiliary neuron.
        variable: its variable for the mean.
        total: its variable for the sum over the neurons.
        size: the number of neurons.
    """
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
        t: the blueprint, to which the auxiliary neuron is added.
        group: the group whose variables the expression reads.
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
    at_inputs = {s: at_end(name, "pre") for s, name in names.items()}
    for inner in filter(is_mean, body.free_symbols):
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


def link_mean(t: Blueprint, mean: sympy.Symbol, group: str) -> str:
    """Let a group read a mean, and return its name there."""
    hub, _, variable = mean.name.partition(":")
    name = variable if hub.startswith(f"{group}_mean") else f"{hub}_{variable}"
    t.neurons[group].link(name, hub, variable)
    return name


def copy_mean(t: Blueprint, mean: sympy.Symbol, group: str) -> str:
    """Let a group keep a copy of a mean, and return its name. At a synapse Brian2 cannot read a linked variable."""
    name = f"copy_of_{link_mean(t, mean, group)}"
    if name not in t.neurons[group].variables:
        t.neurons[group].declare(name)
        t.run(group, f"{name} = {link_mean(t, mean, group)}")
    return name


def at_end(name: str, end: str) -> str:
    """A name of neurons as it is at one end of a synapse, where an array over time is the same."""
    return name if name.endswith("(t)") else f"{name}_{end}"


def is_mean(symbol: sympy.Symbol) -> bool:
    """Whether a symbol comes from `add_mean`."""
    return "_mean" in symbol.name.partition(":")[0] and symbol.name.partition(":")[2].startswith("mean_")


def computed_signals(t: Blueprint, cycle: Cycle) -> dict[sympy.Symbol, sympy.Expr]:
    """The signals that the circuit computes, as expressions in means, which are taken innermost first."""
    take = functools.partial(_signal_mean, t, cycle)
    return {signal(name): e.replace(f.mean, take, simultaneous=False) for name, e in cycle.plan.computed.items()}


def _signal_mean(t: Blueprint, cycle: Cycle, body: sympy.Expr) -> sympy.Symbol:
    """Transcribe a mean of quantities of populations, in which other means are symbols."""
    owners = sorted({of(s).partition(".")[0] for s in body.free_symbols if not is_mean(s)})
    group = owners[0] if owners else next(iter(cycle.plan.populations))
    names: Names = {}
    for symbol in (s for s in body.free_symbols if not is_mean(s)):
        owner, _, kind = of(symbol).partition(".")
        names[symbol] = kind if owner == group else f"{kind}_{owner}"
        if owner != group:
            t.neurons[group].link(names[symbol], owner, kind)
    return add_mean(t, group, body, names, cycle.suffix)


def mean_in_rule(
    t: Blueprint, group: str, end: str, body: sympy.Expr, names: Mapping[sympy.Expr, str], cycle: Cycle
) -> sympy.Symbol:
    """Transcribe a mean in a rule, over the neurons at one end of the synapses.

    Args:
        t: the blueprint.
        group, end: the population, and whether it is "pre" or "post".
        body: the expression, in which parameters are numbers, and computed signals and other means are symbols of
            `add_mean`.
        names: the variables at a synapse, keyed by symbol, such as ``drive_post``.
        cycle: the phase.
    """
    body = body.xreplace({s: sympy.Symbol(of(s), real=True) for s in body.free_symbols})
    own = {
        sympy.Symbol(of(s), real=True): name.removesuffix(f"_{end}")
        for s, name in names.items()
        if name.endswith(f"_{end}")
    }
    for given in cycle.plan.signals:
        if signal(given) in body.free_symbols:
            own[signal(given)] = f"signal_{given}(t)"
    return add_mean(t, group, body, own, cycle.suffix)
