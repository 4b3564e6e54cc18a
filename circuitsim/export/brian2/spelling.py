"""How the names that a user chooses for parameters and states are spelled in Brian2.

A variable of Brian2 may not have the name of a unit, constant, function, attribute or special variable, such as `e`,
`t`, `xi` or `delay`, nor end with _pre or _post, nor contain Greek letters. Between a beginning and an ending of their
own, a user's names cannot meet any of these, nor the names that the export itself chooses. Parameters that are called
after a Greek letter, such as `eta`, keep their names, which mean nothing else to Brian2.
"""

from __future__ import annotations

PLAIN = frozenset(  # without xi and pi, which Brian2 knows
    [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "rho", "sigma",
        "tau", "phi", "chi", "psi", "omega",
    ]
)  # fmt: skip


def of_synapse(name: str) -> str:
    """The Brian2 variable for a parameter or state of synapses."""
    return name if name in PLAIN else f"{_ascii(name)}_syn"


def of_neuron(name: str) -> str:
    """The Brian2 variable for a state of neurons."""
    return f"{_ascii(name)}_cell"


def _ascii(name: str) -> str:
    return f"own_{name}" if name.isascii() else f"hex_{name.encode().hex()}"
