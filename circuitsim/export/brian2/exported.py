"""What the rate and the spiking network have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.cycles import WEIGHT
from circuitsim.export.brian2.replica import Replica
from circuitsim.motif import Projection

RUNTIME, STANDALONE = ("numpy", "cython"), "cpp_standalone"  # targets of Brian2's code


class ExportedNetwork:
    """One replica of a circuit in Brian2.

    Brian2 orders synapses as ``[pre, post]``; arrays returned here have the circuit's axes, ``[post, pre]``.

    Args:
        replica: the replica that is exported.
        blueprint: its description.
        target: "numpy", "cython" or "cpp_standalone".
        directory: where programs are written.
        keeps: whether runs in this process use one set of Brian2 objects.

    Attributes:
        motif: the circuit's motif.
        seed: the seed of the exported replica.
        blueprint: the description of neurons and synapses, which printing the network shows.

    Raises:
        CircuitError: the blueprint has a name that Brian2 cannot use.
    """

    def __init__(
        self, replica: Replica, blueprint: Blueprint, target: str, directory: Path | None = None, keeps: bool = False
    ) -> None:
        from circuitsim.export.brian2.names import check_names  # these three are imported late, because of brian2
        from circuitsim.export.brian2.program import Program
        from circuitsim.export.brian2.runtime import Player, Runtime

        check_names({part.name: part.names for part in blueprint.parts.values()})
        self._replica, self.motif, self.seed = replica, replica.motif, replica.seed
        self.blueprint = blueprint
        self._player: Player = Program(directory) if target == STANDALONE else Runtime(target, keeps)

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

    def weights(self, projection: str) -> np.ndarray:
        """The current weights of a projection.

        Args:
            projection: the projection's name.
        Returns:
            A copy, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no such projection; the message lists the known ones.
        """
        name = self._projection(projection).name
        if name not in self.blueprint.wires:
            return self._replica.weights[name].copy()
        return self._of_synapses(name, WEIGHT)

    def _projection(self, name: str) -> Projection:
        known = {p.name: p for p in self.motif.projections}
        if name not in known:
            raise ParameterError(f"there is no projection {name!r} (known: {', '.join(known)})")
        return known[name]

    def _of_synapses(self, projection: str, variable: str) -> np.ndarray:
        """A variable ``[post, pre]`` of the synapses, with 0 where there is none."""
        dense = np.zeros(self._replica.masks[projection].shape)
        pre, post = self._replica.synapses(projection)
        dense[post, pre] = self._player.values(self.blueprint)[projection][variable]
        return dense
