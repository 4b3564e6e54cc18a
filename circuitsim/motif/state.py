"""State of neurons and synapses: what they remember beside activity and weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from circuitsim.motif.rule import frozen_parameters
from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False, init=False)
class State(Value):
    """One number per neuron or per synapse, with an update.

    After a step the state becomes the batch mean of `update`, evaluated from the state before the step, as weights
    change too. A neuron's update may name `activity`, `drive`, `slope`, the neuron's states and signals, with
    `mean(...)` over batch and population; a synapse's update may name all that its projection's rule may.

    Rules read a neuron's state ``theta`` as ``theta_pre`` and ``theta_post``, a synapse's state by its name;
    activations and traces read the states of their own neuron by name.

    Args:
        update: the new value, such as ``"theta + (activity**2 - theta) / tau"``.
        start: the value before the first step.
        parameters: named numbers of the update.
    """

    update: str
    start: float
    parameters: Mapping[str, Any]

    def __init__(self, update: str, /, start: float = 0.0, **parameters: Any) -> None:
        object.__setattr__(self, "update", update)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "parameters", frozen_parameters(parameters))

    @classmethod
    def from_entries(cls, entries: dict[str, Any]) -> State:
        """Build from what the JSON of a motif holds.

        Args:
            entries: "update", and "start" and "parameters" where they are given.
        Returns:
            The state.
        Raises:
            TypeError: other entries.
        """
        if not {"update"} <= set(entries) <= {"update", "start", "parameters"}:
            raise TypeError("a state has an update, a start and parameters")
        return cls(entries["update"], entries.get("start", 0.0), **entries.get("parameters", {}))


def frozen_states(states: Mapping[str, State | str] | None) -> Mapping[str, State]:
    """A read-only mapping; a string stands for a state that starts at 0."""
    given = dict(states or {})
    return MappingProxyType({k: State(v) if isinstance(v, str) else v for k, v in given.items()})
