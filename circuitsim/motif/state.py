"""State variables of neurons and synapses, in addition to activity and weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circuitsim.errors import MotifError
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.motif.rule import frozen_parameters
from circuitsim.motif.value import Frozen, Value

KINDS = ("per_sample", "tau_ms", "on", "add")  # the fields that say when a state changes


@dataclass(frozen=True, eq=False, init=False)
class State(Value):
    """A state variable with one value per neuron or per synapse. It is updated at each step, or changes at spikes.

    **At each step**, the state becomes the batch mean of `update`, evaluated in the state before the step, as for
    weights. A neuron's update may read `activity`, `drive`, `slope`, the neuron's states and signals, `mean(...)` over
    batch and population, and `sum`, `max`, `norm`, `softmax` and `rank` over the population; a synapse's update may
    read whatever its projection's rule may read.

    **Within a step**, with `per_sample`: each step begins with `start` for every sample, and each iteration of a phase
    that may change the state updates it, before rules read it. It takes memory for every sample of a batch.

    **At spikes**, `add` is added to the state, which otherwise decays: ``State(tau_ms=20, on="spike_pre")`` is a trace
    of presynaptic spikes, dx/dt = -x / tau, x <- x + 1. Only spiking networks have spikes (docs/spiking.md).

    Rules read a neuron's state ``theta`` as ``theta_pre`` and ``theta_post``, and a synapse's state under its own
    name; activations and traces read the states of their own neuron under their names.

    Args:
        update: an expression for the new value, such as ``"theta + (activity**2 - theta) / tau"``; None for a state
            that changes at spikes.
        start: the value before the first step, or for `per_sample` at the beginning of each step.
        per_sample: whether each sample has a value of its own, which lives within one step.
        tau_ms: the time constant of the decay to 0, or None for none.
        on: the spike at which `add` is added: "spike" of the state's own neuron, or for synapses "spike_pre" or
            "spike_post". None if `add` names spikes itself, as in ``"spike_post * x_pre - spike_pre * x_post"``.
        add: what is added: a number, or an expression with the names of an update.
        parameters: the named numbers in the expression, given as keywords, as in ``State("x + a * activity", a=0.1)``.
    Example:
        >>> import circuitsim as cs
        >>> cs.State(on="spike_pre", add="1 - x", tau_ms=20).expression
        'spike_pre * (1 - x)'
    """

    update: str | None
    start: float
    parameters: Mapping[str, Any]
    per_sample: bool
    tau_ms: float | None
    on: str | None
    add: str | float | None

    def __init__(
        self,
        update: str | None = None,
        /,
        start: float = 0.0,
        *,
        per_sample: bool = False,
        tau_ms: float | None = None,
        on: str | None = None,
        add: str | float | None = None,
        **parameters: Any,
    ) -> None:
        add = 1.0 if add is None and on is not None else add
        self._set(update=update, start=start, parameters=frozen_parameters(parameters))
        self._set(per_sample=per_sample, tau_ms=tau_ms, on=on, add=add)

    @classmethod
    def _from_entries(cls, entries: dict[str, Any]) -> State:
        if unknown := set(entries) - {"update", "start", "parameters", *KINDS}:
            raise TypeError(f"a state has no {min(unknown)}")
        own = {name: entries[name] for name in KINDS if name in entries}
        return cls(entries.get("update"), entries.get("start", 0.0), **own, **entries.get("parameters", {}))

    @property
    def is_traced(self) -> bool:
        """Whether the state changes at spikes, and not at each step."""
        return self.update is None

    @property
    def expression(self) -> str:
        """The new value, or for a state that changes at spikes, what is added, multiplied by its spike."""
        if self.update is not None:
            return self.update
        if self.on is None:
            return str(self.add)
        return self.on if self.add == 1 else f"{self.on} * ({self.add})"


def lasting(states: Mapping[str, State]) -> dict[str, State]:
    """Return the states that last from step to step: those that are not per sample."""
    return {name: state for name, state in states.items() if not state.per_sample}


def frozen_states(states: Mapping[str, State | str] | None) -> Mapping[str, State]:
    """Return a read-only mapping, with each string replaced by a state that starts at 0."""
    if not isinstance(states, Mapping | None):
        raise MotifError(f'state must map names to states, such as {{"e": "pre * post"}} (got {states!r})')
    given = normalized_keys(states or {}, "states")
    return Frozen({k: State(v) if isinstance(v, str) else v for k, v in given.items()})
