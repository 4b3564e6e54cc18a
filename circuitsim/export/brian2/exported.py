"""What the rate and the spiking network have in common."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.blueprint import Blueprint, Values
from circuitsim.export.brian2.replica import Replica
from circuitsim.motif import Projection

if TYPE_CHECKING:
    from circuitsim.export.brian2.runtime import Player

RUNTIME, STANDALONE = ("numpy", "cython"), "cpp_standalone"  # targets of Brian2's code


def make_player(b: Blueprint, target: str, directory: Path | None = None, keeps: bool = False) -> Player:
    """Make what runs a blueprint.

    Args:
        b: the blueprint.
        target: "numpy", "cython" or "cpp_standalone".
        directory: where programs are written.
        keeps: whether runs in this process use one set of objects.
    Raises:
        CircuitError: the blueprint has a name that Brian2 cannot use.
    """
    from circuitsim.export.brian2.names import check_names  # imported late, because it imports brian2

    check_names({part.name: part.names for part in b.parts.values()})
    if target == STANDALONE:
        from circuitsim.export.brian2.program import Program

        return Program(directory)
    from circuitsim.export.brian2.runtime import Runtime

    return Runtime(target, keeps)


class ExportedNetwork(abc.ABC):
    """One replica of a circuit in Brian2.

    Brian2 orders synapses as ``[pre, post]``; arrays returned here have the circuit's axes, ``[post, pre]``.

    Attributes:
        motif: the circuit's motif.
        seed: the seed of the exported replica.
        blueprint: the description of neurons and synapses, which printing the network shows.
    """

    def __init__(self, replica: Replica, blueprint: Blueprint) -> None:
        self._replica, self.motif, self.seed = replica, replica.motif, replica.seed
        self.blueprint = blueprint

    def __str__(self) -> str:
        return str(self.blueprint)

    def exists(self, projection: str) -> np.ndarray:
        """Which synapses of a projection exist.

        Args:
            projection: the projection's name.
        Returns:
            Booleans, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no such projection; the message lists the known ones.
        """
        return self._replica.masks[self._projection(projection).name].copy()

    @abc.abstractmethod
    def weights(self, projection: str) -> np.ndarray:
        """The current weights of a projection.

        Args:
            projection: the projection's name.
        Returns:
            A copy, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no such projection; the message lists the known ones.
        """

    def _projection(self, name: str) -> Projection:
        known = {p.name: p for p in self.motif.projections}
        if name not in known:
            raise ParameterError(f"there is no projection {name!r} (known: {', '.join(known)})")
        return known[name]

    def _dense(self, projection: str, values: Values) -> np.ndarray:
        """An array ``[post, pre]`` of values ``[synapse]``, with 0 where there is no synapse."""
        dense = np.zeros(self._replica.masks[projection].shape)
        pre, post = self._replica.synapses(projection)
        dense[post, pre] = values
        return dense
