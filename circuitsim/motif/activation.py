"""From soma input to activity: named functions, or any expression of the rule language.

An activation is an expression in `drive` (the summed soma input of the neuron). It may also name
`activity_<population>` and `slope_<population>` of another population of the same size, neuron by neuron;
that population is then swept first. The slope, which rules read as `slope_post`, is the derivative with
respect to `drive`, taken symbolically; ReLU at 0 has slope 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.value import Value

NAMED: dict[str, str] = {
    "linear": "drive",
    "relu": "relu(drive)",
    "tanh": "tanh(drive)",
    "sigmoid": "(1 + tanh(drive / 2)) / 2",
    "one": "1",  # a bias unit
}


@dataclass(frozen=True, eq=False)
class GatedBy(Value):
    """Linear times the slope of another population's activation.

    ``g = slope(p) * q``, with `p` the soma input of the gating population and `q` this population's own: with
    a ReLU partner this is the Jacobian that backpropagation applies on the way down (Liao et al. 2024, eq. 2).

    Args:
        population: name of the gating population, of the same size.
    """

    population: str


def activation_expression(activation: str | GatedBy) -> str:
    """The expression in `drive` that a declared activation stands for."""
    if isinstance(activation, GatedBy):
        return f"drive * slope_{activation.population}"
    return NAMED.get(activation, activation) if isinstance(activation, str) else activation
