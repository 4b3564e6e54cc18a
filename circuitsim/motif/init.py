"""Starting weights of a projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from circuitsim.motif.value import Value, frozen_array


@dataclass(frozen=True, eq=False)
class Gaussian(Value):
    """Zero-mean normal weights, standard deviation ``gain / sqrt(n)``.

    Args:
        gain: dimensionless.
        scaling: what `n` counts: "fan_in" (the present presynaptic partners of the postsynaptic neuron)
            or "fan_out" (the present postsynaptic partners of the presynaptic neuron).
    """

    gain: float = 1.0
    scaling: str = "fan_in"


@dataclass(frozen=True, eq=False)
class Identity(Value):
    """1 where post == pre, else 0."""


@dataclass(frozen=True, eq=False)
class Constant(Value):
    """The same value for every present synapse.

    Args:
        value: dimensionless.
    """

    value: float


@dataclass(frozen=True, eq=False)
class Uniform(Value):
    """Independent values, uniform in [low, high).

    Args:
        low, high: dimensionless; low < high.
    """

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Given(Value):
    """The weights given.

    Args:
        array: shape ``[post, pre]``, or ``[replica, post, pre]``; dimensionless.
    """

    array: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", frozen_array(self.array))


Init = Gaussian | Identity | Constant | Uniform | Given
