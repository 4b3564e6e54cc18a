"""Names of everything that a step computes, as SymPy symbols that cannot collide.

`up1.activity` belongs to a population, `V1:w` to a projection; `I_V1` is a current and `signal:reward` a signal.
Declared names are identifiers, so the text before a dot is always a population and the text before a colon a
projection. In a rule, a quantity of neurons carries the end of the synapse at which it is read, as in
`up1.activity@pre`.
"""

from __future__ import annotations

import sympy

PRE, POST = "pre", "post"


# The number of samples of a step, over all processes. All other symbols have a dot, a colon or a prefix.
BATCH_SIZE = sympy.Symbol("batch_size", positive=True)


def neuron(kind: str, population: str) -> sympy.Symbol:
    """The symbol of a quantity of neurons: "activity", "drive", "slope", "trace", or the name of a state."""
    return sympy.Symbol(f"{population}.{kind}", real=True)


def synapse(kind: str, projection: str) -> sympy.Symbol:
    """The symbol of a quantity of synapses: "w", or the name of a parameter, of a state, or of a sum over synapses."""
    return sympy.Symbol(f"{projection}:{kind}", real=True)


def current(projection: str) -> sympy.Symbol:
    """The symbol of the current that a projection delivers to its postsynaptic neurons."""
    return sympy.Symbol(f"I_{projection}", real=True)


def signal(name: str) -> sympy.Symbol:
    """The symbol of a signal, one number per sample that the caller supplies."""
    return sympy.Symbol(f"signal:{name}", real=True)


def iteration_name(phase: str, iteration: int) -> str:
    """The name of one iteration of a phase, which is that of the phase for the first."""
    return phase if iteration == 0 else f"{phase}[{iteration + 1}]"


def at_time(name: str, time: int) -> str:
    """The name of what belongs to one time step, from 0, such as ``x[3]`` for the input ``x[:, 3]``."""
    return f"{name}[{time}]"


def at(quantity: sympy.Symbol, end: str) -> sympy.Symbol:
    """The symbol of a quantity of neurons, read at one end ("pre" or "post") of a synapse."""
    return sympy.Symbol(f"{quantity.name}@{end}", real=True)


def of(symbol: sympy.Symbol) -> str:
    """The name of the quantity that a symbol denotes, without the end at which it is read."""
    return str(symbol.name).partition("@")[0]


def end_of(symbol: sympy.Symbol) -> str:
    """The end of the synapse at which a symbol is read, or "" if it carries none."""
    return str(symbol.name).partition("@")[2]
