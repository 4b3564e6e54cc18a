"""Populations are groups of neurons of one stream."""

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

    ``activity = activation(drive)``, where `drive` is the sum of the currents of the soma projections. An
    ascending population that receives no soma projection is an input; the error population of an
    `Objective` is driven by minus the gradient of each sample's loss.

    Args:
        name: an identifier, unique among the populations, by which rules and methods refer to it.
        size: the number of neurons, a positive integer.
        stream: "ascending" (inference) or "descending" (feedback).
        activation: "linear", "relu", "tanh", "sigmoid", `GatedBy(population)`, or an expression in `drive`.
        trace: an expression in `activity` that rules and dendritic currents read in place of the activity, such as
            ``"activity / sqrt(mean(activity**2) + 1e-6)"``; `mean` averages over batch and population. Soma
            currents always use the activity itself.
        state: maps names to `State`; variables that each neuron keeps from step to step, such as a sliding
            threshold.
        label: any text that figures and tables show instead of the name, such as "5-HT".
    Source: Liao et al. (2024), arXiv 2412.20018, section 2 (the two streams).
    """

    name_fields = ("name",)

    name: str
    size: int
    stream: str = "ascending"
    activation: str | GatedBy = "linear"
    trace: str | None = None
    state: Mapping[str, State] = field(default_factory=dict)
    label: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "state", frozen_states(self.state))

    @property
    def caption(self) -> str:
        """The label, or the name if there is none."""
        return self.name if self.label is None else self.label


def Bias(name: str, stream: str = "ascending", label: str | None = None) -> Population:
    """A bias unit: a population of size 1 whose activity is always 1.

    Args:
        name: an identifier, unique among the populations.
        stream: "ascending" or "descending".
        label: any text that figures and tables show instead of the name.
    Returns:
        The population. The single weight from it onto each neuron is that neuron's bias.
    Example:
        >>> import circuitsim as cs
        >>> cs.Bias("bias1").size
        1
    """
    return Population(name, size=1, stream=stream, activation="one", label=label)
