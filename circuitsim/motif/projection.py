"""A projection is the set of all synapses from one population onto another, with one rule."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.errors import MotifError
from circuitsim.motif.connectivity import All, Connectivity
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.init import Gaussian, Init
from circuitsim.motif.population import Population
from circuitsim.motif.rule import Rule
from circuitsim.motif.state import State, frozen_states
from circuitsim.motif.value import Value

EVERY_PAIR = All()
COMPARTMENTS = ("soma", "dendrite")
OLD_NAMES = {"target": "compartment", "weight": "tied_to"}  # field names in files of the previous version


@dataclass(frozen=True, eq=False)
class Derived(Value):
    """The weights are tied to those of another projection.

    ``w = scale * f(w_source)``, optionally transposed, where f is the sign function or the identity.

    Args:
        projection: the name of the source, whose own weights must not be tied.
        transpose: whether to swap the presynaptic and postsynaptic axes.
        scale: a dimensionless factor.
        sign: whether to use only the signs of the source's weights (sign-symmetry; Liao, Leibo & Poggio 2016).
    """

    name_fields = ("projection",)

    projection: str
    transpose: bool = False
    scale: float = 1.0
    sign: bool = False


@dataclass(frozen=True, eq=False)
class Rewiring(Value):
    """Every so many steps, the weakest synapses of a projection go, and as many grow at random places.

    This happens at the end of a step, after its changes, in each replica by itself. A place is any pair of neurons
    without a synapse, also one that has just lost its own, but none of a lesioned neuron. New weights are drawn as in
    `Circuit.grow`. Pinned replicas and frozen projections stay as they are.

    Args:
        every_steps: the number of steps from one rewiring to the next, 1 or more.
        share: the share of the existing synapses that is replaced, in (0, 1]; their number is rounded down.
    Source: sparse evolutionary training, Mocanu et al. (2018), Nature Communications 9:2383.
    """

    every_steps: int
    share: float


@dataclass(frozen=True, eq=False, init=False)
class Projection(Value):
    """The synapses from population `pre` onto population `post`; the weights have shape ``[post, pre]``.

    Args:
        name: an identifier, unique among the projections; rules refer to its current as ``I_<name>``.
        pre, post: the two populations, or their names.
        compartment: "soma" (drives activity) or "dendrite" (read by plasticity only).
        rule: the plasticity rule, as a `Rule` or an expression, or None.
        init: the initial weights (not allowed where `tied_to` is given).
        connectivity: the pattern of existing synapses.
        plastic: False keeps the weights at their initial values.
        tied_to: a `Derived` that ties the weights to those of another projection.
        bounds: (low, high), the interval to which weights are clipped when they are drawn and after each step; either
            end may be None. Weights that are declared or set one by one must lie within it, and so must a constant.
            A projection with tied weights has the bounds of its source.
        state: maps names to `State`; variables that each synapse keeps from step to step, such as an eligibility
            trace.
        parameters: the parameters of a rule that is given as a string.
        delay: how many iterations a soma current is behind: the synapses read the presynaptic activity that the
            iteration so long ago left, which was 0 before the first iteration of a step. Rules read the presynaptic
            quantities of that iteration too. Projections with a delay may close a cycle.
        label: any text that figures and tables show instead of the name.
        rewiring: a `Rewiring` that replaces weak synapses by new ones now and then, or None.
    Raises:
        MotifError: there are parameters, but the rule is not a string.
    Example:
        >>> import circuitsim as cs
        >>> cs.Projection("W", "x", "y", rule="eta * post * pre", parameters={"eta": 0.1}).rule
        Rule('eta * post * pre', eta=0.1)
    """

    name: str
    pre: str
    post: str
    compartment: str
    rule: Rule | None
    init: Init | None
    connectivity: Connectivity
    plastic: bool
    tied_to: Derived | None
    bounds: tuple[float | None, float | None] | None
    state: Mapping[str, State]
    delay: int
    label: str | None
    rewiring: Rewiring | None

    def __init__(
        self,
        name: str,
        pre: str | Population,
        post: str | Population,
        compartment: str = "soma",
        rule: Rule | str | None = None,
        init: Init | None = None,
        connectivity: Connectivity = EVERY_PAIR,
        plastic: bool = True,
        tied_to: Derived | None = None,
        bounds: Sequence[float | None] | None = None,
        state: Mapping[str, State | str] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        delay: int = 0,
        label: str | None = None,
        rewiring: Rewiring | None = None,
    ) -> None:
        if isinstance(rule, str):
            if not isinstance(parameters, Mapping | None) or not all(
                isinstance(name, str) for name in parameters or ()
            ):
                example = 'a mapping such as {"eta": 0.1}'
                raise MotifError(f"projection {name!r}: parameters must be {example} (got {parameters!r})")
            rule = Rule(rule, **(parameters or {}))
        elif parameters is not None:
            raise MotifError(
                f"projection {name!r}: parameters belong to a rule that is given as a string (got the rule {rule!r})"
            )
        bounds = tuple(bounds) if isinstance(bounds, list | np.ndarray) else bounds
        if isinstance(bounds, tuple) and bounds and all(end is None for end in bounds):
            bounds = None
        self._set(
            name=normalized(name), pre=_name(pre), post=_name(post), compartment=compartment, rule=rule, init=init,
            connectivity=connectivity, plastic=plastic, tied_to=tied_to, bounds=bounds, state=frozen_states(state),
            delay=delay, label=label, rewiring=rewiring,
        )  # fmt: skip

    @classmethod
    def _from_entries(cls, entries: dict[str, Any]) -> Projection:
        return cls(**{OLD_NAMES.get(name, name): value for name, value in entries.items()})

    @property
    def caption(self) -> str:
        """The label, or the name if there is none."""
        return self.name if self.label is None else self.label

    @property
    def is_plastic(self) -> bool:
        """Whether a step changes the weights."""
        return self.plastic and self.rule is not None and self.tied_to is None

    @property
    def start(self) -> Init:
        """The initial weights; Gaussian(gain=1) unless declared."""
        return self.init if self.init is not None else Gaussian()


def check_options(owner: str, options: Mapping[str, Any]) -> None:
    """Raise a MotifError if an option of a projection is unknown; it may have been meant as a parameter of the rule."""
    known = [name for name in inspect.signature(Projection).parameters if name not in ("name", "pre", "post")]
    for name, value in options.items():
        if name not in known:
            hint = f"; known: {', '.join(known)}"
            if isinstance(options.get("rule"), str):
                hint += f". The parameters of a rule go into parameters={{{name!r}: {value!r}}}"
            raise MotifError(f"{owner}: unknown option {name!r}{hint}")


def _name(population: str | Population) -> str:
    return normalized(population.name if isinstance(population, Population) else population)
