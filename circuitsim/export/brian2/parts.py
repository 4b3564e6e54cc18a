"""The parts of a blueprint: neurons and synapses, with their variables, equations and what spikes do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import CircuitError

Values = np.ndarray | float
DELAY = "delay_ms"  # the constant of synapses that holds their delay, where a spike's effect depends on it


@dataclass
class Part:
    """Neurons or synapses, with variables.

    Args:
        name: the name of the Brian2 object.
        variables: the initial values of variables, one number per neuron or synapse.
        equations: the equation of every name in use.
    """

    name: str
    variables: dict[str, Values] = field(default_factory=dict, kw_only=True)
    equations: dict[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def values(self) -> dict[str, Values]:
        """What is set before a run."""
        return self.variables

    @property
    def names(self) -> list[str]:
        """The names of its own, which are not those of a variable at one end."""
        return [name for name, line in self.equations.items() if not line.endswith("(summed)")]

    @property
    def plain(self) -> list[str]:
        """What changes only where statements say so, or never."""
        return [name for name, line in self.equations.items() if line.startswith(f"{name} : 1")]

    def declare(self, variable: str, start: Values = 0.0) -> None:
        """Add a variable.

        Raises:
            CircuitError: the name is taken.
        """
        self.equate(variable, f"{variable} : 1")
        self.variables[variable] = start

    def equate(self, name: str, equation: str) -> None:
        """Add a name with its equation.

        Raises:
            CircuitError: the name is taken.
        """
        if name in self.equations:
            raise CircuitError(f"{self.name!r} would have two Brian2 variables {name!r}; rename yours")
        self.equations[name] = equation


@dataclass
class Neurons(Part):
    """A NeuronGroup.

    Args:
        size: the number of neurons.
        links: own name -> (group, variable), for variables that are read from another group, neuron by neuron or from a
            group of one neuron.
        spikes: the condition at which each kind of spike is emitted, keyed by event.
        on_spike: the statements that a spike runs at its own neuron, keyed by event.
        refractory_ms: the refractory period, 0 for none.
        lasting: the variables that outlast the segments of a run.
    """

    size: int
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    spikes: dict[str, str] = field(default_factory=dict)
    on_spike: dict[str, list[str]] = field(default_factory=dict)
    refractory_ms: float = 0.0
    lasting: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Add lines of equations: membranes, currents and traces."""
        for line in lines:
            name = re.match(r"d(\w+)/dt|(\w+)", line)
            assert name is not None
            self.equate(name[1] or name[2], line)

    def link(self, own: str, group: str, variable: str) -> None:
        """Read a variable of another group under the name `own`.

        Raises:
            CircuitError: the name is taken by another variable.
        """
        if self.links.get(own) != (group, variable):
            self.equate(own, f"{own} : 1 (linked)")
            self.links[own] = (group, variable)

    @property
    def differential(self) -> list[str]:
        """The variables that have a differential equation."""
        return [name for name, line in self.equations.items() if line.startswith(f"d{name}/dt")]

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the NeuronGroup, beside its refractory period: what makes it spike."""
        others = {event: condition for event, condition in self.spikes.items() if event != "spike"}
        main = {"threshold": self.spikes.get("spike"), "reset": "; ".join(self.on_spike.get("spike", []))}
        return {name: value for name, value in {**main, "events": others}.items() if value}


@dataclass
class Wires(Part):
    """Synapses between two groups, or from synapses to synapses.

    Args:
        pre, post: the names of the two ends.
        i, j: indices of the presynaptic and postsynaptic neurons, shape ``[synapse]``.
        parameters: constants, either one number or one per synapse.
        decays: the time constants in ms of variables that decay.
        on_spike: the statements that a presynaptic event runs, keyed by event.
        on_post: the statements that a postsynaptic spike runs, or "".
        delays_ms: conduction delays ``[synapse]``, or None.
        learns: whether the weight changes.
    """

    pre: str
    post: str
    i: np.ndarray
    j: np.ndarray
    parameters: dict[str, Values] = field(default_factory=dict)
    decays: dict[str, float] = field(default_factory=dict)
    on_spike: dict[str, str] = field(default_factory=dict)
    on_post: str = ""
    delays_ms: np.ndarray | None = None
    learns: bool = False

    @property
    def values(self) -> dict[str, Values]:
        return {**self.variables, **self.parameters}

    def set_constant(self, name: str, value: Values) -> None:
        """Add a constant, one number or one per synapse."""
        self.equate(name, f"{name} : 1 ({'' if np.ndim(value) else 'shared, '}constant)")
        self.parameters[name] = value

    def at_spike(self, event: str, code: str) -> None:
        """Add statements to those that a presynaptic event runs."""
        self.on_spike[event] = "; ".join(filter(None, [self.on_spike.get(event), code]))

    def split(self, target: str) -> tuple[str, str, str]:
        """Split the name of a reduced variable: ``I_V1_post`` gives "j", the postsynaptic group and ``I_V1``."""
        variable, _, end = target.rpartition("_")
        return ("i", self.pre, variable) if end == "pre" else ("j", self.post, variable)

    @property
    def events(self) -> dict[str, str]:
        """The Brian2 pathways of presynaptic events -> their events."""
        return {"pre" if event == "spike" else event: event for event in self.on_spike}

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of the Synapses: what spikes do, and how decays are integrated."""
        on_pre: Any = {pathway: self.on_spike[event] for pathway, event in self.events.items()}
        on_event = {**self.events, "post": "spike"}
        if self.events.keys() <= {"pre"}:  # Brian2's defaults
            on_pre, on_event = self.on_spike.get("spike"), {}
        method = "exact" if self.decays else ""
        found = {"on_pre": on_pre, "on_post": self.on_post, "on_event": on_event, "method": method}
        return {name: value for name, value in found.items() if value}
