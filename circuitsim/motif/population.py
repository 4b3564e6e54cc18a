"""Populations are groups of neurons of one stream, whose activation functions map the soma input to the activity.

An activation is a named function, or an expression of the rule language in `drive`, the summed soma input of the
neuron. It may also read `activity_<population>` and `slope_<population>` of another population of the same size,
neuron by neuron; that population is then computed first. The slope, which rules read as `slope_post`, is the symbolic
derivative with respect to `drive`; ReLU has slope 0 at 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import MotifError
from circuitsim.motif.arrays import as_numbers, locked
from circuitsim.motif.checks import is_whole
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.state import State, frozen_states
from circuitsim.motif.value import Value

STREAMS = ("ascending", "descending")
SIGNS = ("excitatory", "inhibitory")
NAMED: dict[str, str] = {
    "linear": "drive",
    "relu": "relu(drive)",
    "tanh": "tanh(drive)",
    "sigmoid": "(1 + tanh(drive / 2)) / 2",
    "one": "1",  # a bias unit
}
_GATE = re.compile(r"\b(?:activity|slope)_(\w+)")


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


def gates_of(population: Population) -> tuple[str, ...]:
    """Return the names of the populations that this one's activation reads."""
    if not isinstance(text := activation_expression(population.activation), str):
        return ()
    return tuple(dict.fromkeys(_GATE.findall(normalized(text))))


@dataclass(frozen=True, eq=False)
class Population(Value):
    """A population of `size` rate neurons.

    ``activity = activation(drive)``, where `drive` is the sum of the currents of the soma projections. An
    ascending population that receives no soma projection in any phase is an input; the error population of an
    `Objective` is driven by minus the gradient of each sample's loss.

    Args:
        name: an identifier, unique among the populations, by which rules and methods refer to it.
        size: the number of neurons, a positive integer; may be left out where `shape` says it.
        stream: "ascending" (inference) or "descending" (feedback).
        activation: "linear", "relu", "tanh", "sigmoid", `GatedBy(population)`, or an expression in `drive`.
        trace: an expression in `activity` that rules and dendritic currents read in place of the activity, such as
            ``"activity / sqrt(mean(activity**2) + 1e-6)"``; `mean` averages over batch and population, and `sum`,
            `max`, `norm`, `softmax` and `rank` run over the population, for each sample. Soma currents always use the
            activity itself.
        state: maps names to `State`; variables that each neuron keeps from step to step, such as a sliding
            threshold.
        label: any text that figures and tables show instead of the name, such as "5-HT".
        shape: the map on which the neurons lie: ``(length,)``, ``(height, width)`` or ``(channels, height, width)``,
            in the order of the flattened data (as images in torch are). Its product is the size.
        positions: where the neurons are, an array ``[neuron, dimension]``. By default those of a shape are the points
            of a grid with spacing 1, centred at 0; the channels share them.
        sign: "excitatory" or "inhibitory" gives all outgoing weights of these neurons one sign (Dale's law), onto
            somata and dendrites: initial weights that are drawn are magnitudes with this sign, and weights are clipped
            at 0 as by bounds. None leaves signs free.
        source: "target" drives the population by the target of each step, as one-hot vectors if that is a class. Where
            several outputs have an objective, "target:up3" says which one's target it is.
    Raises:
        MotifError: there is neither a size nor a shape, or an entry of `positions` is no number.
    Source: Liao et al. (2024), arXiv 2412.20018, section 2 (the two streams).
    """

    name_fields = ("name", "source")

    name: str
    size: int = None  # type: ignore[assignment]  # the product of the shape
    stream: str = "ascending"
    activation: str | GatedBy = "linear"
    trace: str | None = None
    state: Mapping[str, State] = field(default_factory=dict)
    label: str | None = None
    shape: Sequence[int] | None = field(default=None, kw_only=True)
    positions: Any = field(default=None, kw_only=True)
    sign: str | None = field(default=None, kw_only=True)
    source: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(state=frozen_states(self.state))
        if isinstance(self.shape, list | np.ndarray):
            self._set(shape=tuple(map(_plain, self.shape)))
        if self.size is None and self.shape is not None and is_shape(self.shape):
            self._set(size=math.prod(self.shape))
        if self.size is None and self.shape is None:
            raise MotifError(f"population {self.name!r} needs a size or a shape")
        if self.positions is not None:
            self._set(positions=locked(as_numbers(self.positions, f"population {self.name!r}: positions")))

    @property
    def caption(self) -> str:
        """The label, or the name if there is none."""
        return self.name if self.label is None else self.label

    @property
    def grid(self) -> tuple[int, ...] | None:
        """The shape without its channels: ``(length,)`` or ``(height, width)``; None without a shape."""
        return None if self.shape is None else tuple(self.shape)[-2:]

    @property
    def coordinates(self) -> np.ndarray | None:
        """Where the neurons are, ``[neuron, dimension]``: the `positions`, or the points of the grid of a shape."""
        if self.positions is not None or self.grid is None:
            return self.positions
        points = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in self.grid), indexing="ij"), axis=-1)
        points = points.reshape(-1, len(self.grid))
        return np.tile(points, (self.size // len(points), 1))


def is_shape(shape: Any) -> bool:
    """Return whether this is ``(length,)``, ``(height, width)`` or ``(channels, height, width)``."""
    return isinstance(shape, tuple) and 1 <= len(shape) <= 3 and all(is_whole(n) and n > 0 for n in shape)


def _plain(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else number


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
