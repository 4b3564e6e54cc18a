"""Populations: groups of neurons of one stream."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif.activation import GatedBy
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
    """

    name: str
    size: int
    stream: str = "ascending"
    activation: str | GatedBy = "linear"
    trace: str | None = None


def Bias(name: str, stream: str = "ascending") -> Population:
    """A bias unit: a population of size 1 whose activity is always 1."""
    return Population(name, size=1, stream=stream, activation="one")
