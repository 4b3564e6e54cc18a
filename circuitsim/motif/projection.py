"""Projections: all synapses from one population to another, with one rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from circuitsim.motif.connectivity import All, Connectivity
from circuitsim.motif.init import Gaussian, Init
from circuitsim.motif.rule import Rule
from circuitsim.motif.state import State, frozen_states
from circuitsim.motif.value import Value

TARGETS = ("soma", "dendrite")


@dataclass(frozen=True, eq=False)
class Derived(Value):
    """A weight that is tied to another projection's.

    ``w = scale * f(w_source)``, transposed if asked for, with f the sign function or the identity.

    Args:
        projection: name of the source, which is not derived itself.
        transpose: whether to swap the two ends.
        scale: factor, dimensionless.
        sign: whether to take the sign of the source's weight (sign-symmetry; Liao, Leibo & Poggio 2016).
    """

    projection: str
    transpose: bool = False
    scale: float = 1.0
    sign: bool = False


@dataclass(frozen=True, eq=False)
class Projection(Value):
    """Synapses from population `pre` onto population `post`; weights have shape ``[post, pre]``.

    Args:
        name: an identifier, unique among the projections; rules call its current ``I_<name>``.
        pre, post: names of populations.
        target: "soma" (drives activity) or "dendrite" (read by plasticity only).
        rule: how a synapse changes, or None.
        init: starting weights (ignored, and not allowed, where `weight` is given).
        connectivity: which synapses exist.
        plastic: False freezes the weights at their start.
        weight: `Derived` ties the weight to another projection's.
        bounds: (low, high) to which weights are clipped after each step; either may be None.
        state: name -> `State`, what each synapse remembers from step to step, such as an eligibility.
    """

    name: str
    pre: str
    post: str
    target: str = "soma"
    rule: Rule | None = None
    init: Init | None = None
    connectivity: Connectivity = All()
    plastic: bool = True
    weight: Derived | None = None
    bounds: tuple[float | None, float | None] | None = None
    state: Mapping[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", frozen_states(self.state))
        if isinstance(self.bounds, list):
            object.__setattr__(self, "bounds", tuple(self.bounds))
        if self.bounds == (None, None):
            object.__setattr__(self, "bounds", None)

    @property
    def is_plastic(self) -> bool:
        """Whether a step changes it."""
        return self.plastic and self.rule is not None and self.weight is None

    @property
    def start(self) -> Init:
        """The starting weights; Gaussian(gain=1) unless declared."""
        return self.init if self.init is not None else Gaussian()

    def retargeted(self, target: str) -> Projection:
        """The same projection onto another compartment.

        Args:
            target: "soma" or "dendrite".
        Returns:
            A copy.
        """
        return dataclasses.replace(self, target=target)
