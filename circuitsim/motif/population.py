"""Populations: groups of neurons of one stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from circuitsim.motif.activation import GatedBy
from circuitsim.motif.state import State, frozen_states
from circuitsim.motif.value import Value

STREAMS = ("ascending", "descending")


@dataclass(frozen=True, eq=False)
class Population(Value):
    """A population of `size` rate neurons.

    ``activity = activation(drive)``, where `drive` is the sum of the currents of its soma projections. An
    ascending population with no soma projection onto it is an input; the error population of an
    `Objective` is driven by minus the gradient of each sample's loss.

    Args:
        name: an identifier, unique among the populations.
        size: number of neurons, a positive integer.
        stream: "ascending" (inference) or "descending" (feedback).
        activation: "linear", "relu", "tanh", "sigmoid", `GatedBy(population)`, or an expression in `drive`.
        trace: what rules and dendritic currents see in place of the activity: an expression in `activity`,
            such as ``"activity / sqrt(mean(activity**2) + 1e-6)"``; `mean` runs over batch and population.
            Soma currents always see the activity.
        state: name -> `State`, what each neuron remembers from step to step, such as a sliding threshold.
    Source: Liao et al. (2024), arXiv 2412.20018, section 2 (the two streams).
    """

    name: str
    size: int
    stream: str = "ascending"
    activation: str | GatedBy = "linear"
    trace: str | None = None
    state: Mapping[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", frozen_states(self.state))


def Bias(name: str, stream: str = "ascending") -> Population:
    """A bias unit: a population of size 1 whose activity is always 1.

    Args:
        name: an identifier, unique among the populations.
        stream: "ascending" or "descending".
    Returns:
        The population; a projection from it gives each neuron a bias of its own, as its one weight.
    Example:
        >>> import circuitsim as cs
        >>> cs.Bias("bias1").size
        1
    """
    return Population(name, size=1, stream=stream, activation="one")
