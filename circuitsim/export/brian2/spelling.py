"""How the names that a user chooses for parameters and states are spelled in Brian2.

A variable of Brian2 may not have the name of a unit, constant, function, attribute or special variable, such as `e`,
`t`, `xi` or `delay`, nor end with _pre or _post, nor contain Greek letters. Between a beginning and an ending of their
own, a user's names cannot meet any of these, nor the names that the export itself chooses. Parameters that are called
after a Greek letter, such as `eta`, keep their names, which mean nothing else to Brian2. States do not, because SymPy
takes `beta`, `gamma` and `zeta` in a differential equation for functions.
"""

from __future__ import annotations

import re

PLAIN = frozenset(  # without xi and pi, which Brian2 knows
    [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "rho", "sigma",
        "tau", "phi", "chi", "psi", "omega",
    ]
)  # fmt: skip


def of_parameter(name: str) -> str:
    """The Brian2 constant for a parameter of a rule."""
    return name if name in PLAIN else of_synapse(name)


def of_synapse(name: str) -> str:
    """The Brian2 variable for a state of synapses."""
    return f"{_ascii(name)}_syn"


def of_neuron(name: str) -> str:
    """The Brian2 variable for a state of neurons."""
    return f"{_ascii(name)}_cell"


def as_declared(variable: str) -> str:
    """The name that the user gave to what a Brian2 variable holds, or the variable itself."""
    return re.sub(r"^own_(\w+)_(syn|cell)$", r"\1", variable)


def _ascii(name: str) -> str:
    return f"own_{name}" if name.isascii() else f"hex_{name.encode().hex()}"
