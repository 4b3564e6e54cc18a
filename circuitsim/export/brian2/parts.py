"""Descriptions of groups and synapses, as plain data without brian2."""

from __future__ import annotations

import abc
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from circuitsim.errors import CircuitError

Values = np.ndarray | float


def check_free(name: str, parts: Collection[str]) -> None:
    """Raise a CircuitError if other groups or synapses are called so."""
    if name in parts:
        raise CircuitError(f"two Brian2 objects would be called {name!r}; rename the population or projection")


class Part(abc.ABC):
    """A group of neurons or synapses, with variables."""

    name: str
    variables: dict[str, Values]

    @property
    @abc.abstractmethod
    def names(self) -> list[str]:
        """All names in use, in order."""

    def declare(self, variable: str, start: Values = 0.0) -> None:
        """Add a variable.

        Raises:
            CircuitError: the name is taken.
        """
        self.check_new(variable)
        self.variables[variable] = start

    def check_new(self, name: str) -> None:
        """Raise a CircuitError if the name is taken."""
        if name in self.names:
            raise CircuitError(f"{self.name!r} would have two Brian2 variables {name!r}; rename yours")


@dataclass
class Group(Part):
    """A group of neurons without differential equations.

    Args:
        name, size: the group's name and number of neurons.
        variables: the initial values of each variable, one number per neuron.
        shared: the names of variables with one number for the whole group.
        links: own name -> (group, variable), for variables that are read from another group, neuron by neuron or from
            a group of one neuron.
    """

    name: str
    size: int
    variables: dict[str, Values] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)

    def link(self, own: str, group: str, variable: str) -> None:
        """Read a variable of another group under the name `own`.

        Raises:
            CircuitError: the name is taken by another variable.
        """
        if self.links.get(own) != (group, variable):
            self.check_new(own)
            self.links[own] = (group, variable)

    @property
    def names(self) -> list[str]:
        return [*self.variables, *self.shared, *self.links]

    @property
    def equations(self) -> str:
        """The equations of the NeuronGroup."""
        kinds = {"": self.variables, " (shared)": self.shared, " (linked)": self.links}
        return "\n".join(f"{name} : 1{kind}" for kind, names in kinds.items() for name in names)


@dataclass
class Wiring(Part):
    """Synapses between two groups. Ties between weights are Brian2 synapses between synapses.

    Args:
        name, pre, post: the names of the synapses and of their two ends.
        i, j: indices of the presynaptic and postsynaptic neurons, shape ``[synapse]``.
        variables: the initial values of each variable, one number per synapse.
        parameters: constants, either one number or one per synapse.
        sums: a variable of one end, such as ``I_V1_post`` -> the expression that is summed into it.
    """

    name: str
    pre: str
    post: str
    i: np.ndarray
    j: np.ndarray
    variables: dict[str, Values] = field(default_factory=dict)
    parameters: dict[str, Values] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)

    @property
    def equations(self) -> str:
        """The equations of the Synapses."""
        lines = [self.declared(v) for v in self.variables]
        lines += [f"{k} : 1 ({'shared, ' if np.ndim(v) == 0 else ''}constant)" for k, v in self.constants.items()]
        return "\n".join(lines + [f"{target} = {e} : 1 (summed)" for target, e in self.sums.items()])

    def declared(self, variable: str) -> str:
        """The equation of a variable, which changes only where statements say so."""
        return f"{variable} : 1"

    @property
    def constants(self) -> dict[str, Values]:
        """Everything that does not change, with its values."""
        return self.parameters

    @property
    def names(self) -> list[str]:
        return [*self.variables, *self.constants]

    def split(self, target: str) -> tuple[str, str]:
        """Split the name of a summed variable: ``I_V1_post`` gives the postsynaptic group and ``I_V1``."""
        variable, _, end = target.rpartition("_")
        return (self.pre if end == "pre" else self.post), variable
