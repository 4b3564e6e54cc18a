"""Activation functions map the soma input to the activity.

An activation is a named function, or an expression of the rule language in `drive`, the summed soma input of the
neuron. It may also read `activity_<population>` and `slope_<population>` of another population of the same size,
neuron by neuron; that population is then computed first. The slope, which rules read as `slope_post`, is the symbolic
derivative with respect to `drive`; ReLU has slope 0 at 0.
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
    """A linear activation multiplied by the slope of another population's activation.

    ``g = slope(p) * q``, where `p` is the soma input of the gating population and `q` is this population's own.
    With a ReLU partner this is the Jacobian that backpropagation applies to the descending error (Liao et al. 2024,
    eq. 2).

    Args:
        population: the name of the gating population, which must have the same size.
    """

    name_fields = ("population",)

    population: str


def activation_expression(activation: str | GatedBy) -> str:
    """Return the expression in `drive` that a declared activation stands for."""
    if isinstance(activation, GatedBy):
        return f"drive * slope_{activation.population}"
    return NAMED.get(activation, activation) if isinstance(activation, str) else activation
