"""State variables of neurons and synapses, in addition to activity and weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circuitsim.errors import MotifError
from circuitsim.motif.frozen import Frozen
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.motif.rule import frozen_parameters
from circuitsim.motif.value import Value


@dataclass(frozen=True, eq=False, init=False)
class State(Value):
    """A state variable with one value per neuron or per synapse, and its update.

    After a step the state becomes the batch mean of `update`, evaluated in the state before the step, as for weights.
    A state per sample instead belongs to the cycle: each step begins with `start` for every sample, and each iteration
    of a phase that may change the state updates it, before rules read it. It takes memory for every sample of a batch.
    A neuron's update may read `activity`, `drive`, `slope`, the neuron's states and signals, `mean(...)` over
    batch and population, and `sum`, `max`, `norm`, `softmax` and `rank` over the population; a synapse's update may
    read whatever its projection's rule may read.

    Rules read a neuron's state ``theta`` as ``theta_pre`` and ``theta_post``, and a synapse's state under its own
    name; activations and traces read the states of their own neuron under their names.

    Args:
        update: an expression for the new value, such as ``"theta + (activity**2 - theta) / tau"``.
        start: the value before the first step, or for `per_sample` at the beginning of each step.
        per_sample: whether each sample has a value of its own, which lives within one step.
        parameters: the named numbers in the update.
    """

    update: str
    start: float
    parameters: Mapping[str, Any]
    per_sample: bool

    def __init__(self, update: str, /, start: float = 0.0, per_sample: bool = False, **parameters: Any) -> None:
        object.__setattr__(self, "update", update)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "parameters", frozen_parameters(parameters))
        object.__setattr__(self, "per_sample", per_sample)

    @classmethod
    def from_entries(cls, entries: dict[str, Any]) -> State:
        """Build a state from its entry in the JSON of a motif.

        Args:
            entries: a mapping with "update", and "start", "per_sample" and "parameters" where they are given.
        Returns:
            The state.
        Raises:
            TypeError: an entry is missing or unknown.
        """
        if not {"update"} <= set(entries) <= {"update", "start", "per_sample", "parameters"}:
            raise TypeError("a state has an update, a start, per_sample and parameters")
        start, per_sample = entries.get("start", 0.0), entries.get("per_sample", False)
        return cls(entries["update"], start, per_sample, **entries.get("parameters", {}))


def lasting(states: Mapping[str, State]) -> dict[str, State]:
    """Return the states that last from step to step: those that are not per sample."""
    return {name: state for name, state in states.items() if not state.per_sample}


def frozen_states(states: Mapping[str, State | str] | None) -> Mapping[str, State]:
    """Return a read-only mapping, with each string replaced by a state that starts at 0.

    Raises:
        MotifError: the states are no mapping of names.
    """
    if not isinstance(states, Mapping | None):
        raise MotifError(f'state must map names to states, such as {{"e": "pre * post"}} (got {states!r})')
    given = normalized_keys(states or {}, "states")
    return Frozen({k: State(v) if isinstance(v, str) else v for k, v in given.items()})
