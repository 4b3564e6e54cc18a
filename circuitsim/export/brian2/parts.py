"""The parts of a blueprint: neurons and synapses, with their variables, equations and what spikes do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import CircuitError

Values = np.ndarray | float


@dataclass
class Part:
    """Neurons or synapses, with variables. A CircuitError says where a name would be given twice."""

    name: str  # of the Brian2 object
    # the initial values of variables, one number per neuron or synapse
    variables: dict[str, Values] = field(default_factory=dict, kw_only=True)
    equations: dict[str, str] = field(default_factory=dict, kw_only=True)  # of every name in use

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
        """Add a variable."""
        self.equate(variable, f"{variable} : 1")
        self.variables[variable] = start

    def equate(self, name: str, equation: str) -> None:
        """Add a name with its equation."""
        if name in self.equations:
            raise CircuitError(f"{self.name!r} would have two Brian2 variables {name!r}; rename yours")
        self.equations[name] = equation


@dataclass
class Neurons(Part):
    """A NeuronGroup."""

    size: int
    # own name -> (group, variable), for what is read from another group, neuron by neuron or from a group of one neuron
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    spikes: dict[str, str] = field(default_factory=dict)  # event -> the condition at which such a spike is emitted
    on_spike: dict[str, list[str]] = field(default_factory=dict)  # event -> the statements that it runs at its neuron
    refractory_ms: float = 0.0
    lasting: list[str] = field(default_factory=list)  # the variables that outlast the segments of a run

    def add(self, *lines: str) -> None:
        """Add lines of equations: membranes, currents and traces."""
        for line in lines:
            name = re.match(r"d(\w+)/dt|(\w+)", line)
            assert name is not None
            self.equate(name[1] or name[2], line)

    def decay(self, name: str, tau_ms: float) -> None:
        """Add a variable that decays."""
        self.equate(name, f"d{name}/dt = -{name}/({tau_ms!r}*ms) : 1")

    def link(self, own: str, group: str, variable: str) -> None:
        """Read a variable of another group under the name `own`."""
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
    """Synapses between two groups, or from synapses to synapses."""

    pre: str
    post: str
    i: np.ndarray  # the presynaptic neurons, [synapse]
    j: np.ndarray  # the postsynaptic neurons, [synapse]
    parameters: dict[str, Values] = field(default_factory=dict)  # constants, one number or one per synapse
    decays: dict[str, float] = field(default_factory=dict)  # the time constants in ms of variables that decay
    on_spike: dict[str, str] = field(default_factory=dict)  # presynaptic event -> the statements that it runs
    on_post: str = ""  # the statements that a postsynaptic spike runs
    delays_ms: np.ndarray | None = None  # conduction delays, [synapse]
    learns: bool = False  # whether the weight changes

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
