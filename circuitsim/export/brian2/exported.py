"""What the rate and the spiking network have in common, and the way from either back to a circuit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from circuitsim.engine import Circuit, compile
from circuitsim.errors import ParameterError, check_kind
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.replica import WEIGHT, Replica
from circuitsim.motif import Projection
from circuitsim.motif.expressions import without_spikes

if TYPE_CHECKING:  # these modules import brian2
    from circuitsim.export.brian2.build import Runtime
    from circuitsim.export.brian2.program import Program

RUNTIME, STANDALONE = ("numpy", "cython"), "cpp_standalone"  # targets of Brian2's code


class ExportedNetwork:
    """One replica of a circuit in Brian2.

    Brian2 orders synapses as ``[pre, post]``; arrays returned here have the circuit's axes, ``[post, pre]``. With
    `keeps`, all runs in this process use one set of Brian2 objects.
    """

    def __init__(
        self, replica: Replica, blueprint: Blueprint, target: str, directory: Path | None = None, keeps: bool = False
    ) -> None:
        from circuitsim.export.brian2.build import Runtime, check_names
        from circuitsim.export.brian2.program import Program

        check_names(blueprint)
        self._replica, self.motif, self.seed = replica, replica.motif, replica.seed
        self.blueprint = blueprint
        self._player: Runtime | Program = Program(directory) if target == STANDALONE else Runtime(target, keeps)

    def __str__(self) -> str:
        return str(self.blueprint)

    def exists(self, projection: str) -> np.ndarray:
        """Which synapses of a projection exist.

        Returns:
            Booleans, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no projection of this name; the message lists the known ones.
        """
        return self._replica.masks[self._projection(projection).name].copy()

    def weights(self, projection: str) -> np.ndarray:
        """The current weights of a projection.

        Returns:
            A copy, shape ``[post, pre]``.
        Raises:
            ParameterError: there is no projection of this name; the message lists the known ones.
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


def circuit_from_brian2(
    network: ExportedNetwork, weights: Mapping[str, Any] | None = None, *, device: str = "cpu", dtype: str = "float64"
) -> Circuit:
    """Compile a circuit of one replica with the synapses and weights of an exported network.

    The circuit has the synapses of the network: those that were pruned before the export do not exist, and those that
    grew do. Parameters and states are those of the declaration. Rules and states that depend on spikes are left out.

    Args:
        network: a network from `export_brian2`.
        weights: arrays ``[post, pre]`` keyed by projection, which replace the network's current weights, such as an
            entry of ``history.records["weights"]``.
        device, dtype: as in `compile`.
    Returns:
        The circuit.
    Raises:
        MotifError: there is no such projection.
        ParameterError: weights do not fit, or an option is out of range.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> network = cs.export_brian2(cs.compile(sal([4, 3, 2]), seed=3))
        >>> cs.circuit_from_brian2(network)
        Circuit('sal': 1 replicas, seed 3, cpu, float64, 0 steps done)
    """
    check_kind("circuit_from_brian2", network, ExportedNetwork, "cs.export_brian2 makes one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what compiling has to say was said when the circuit was made
        circuit = compile(without_spikes(network.motif), seed=network.seed, device=device, dtype=dtype)
    for p in (p for p in network.motif.projections if p.tied_to is None):
        exists, drawn = network.exists(p.name), circuit.mask(p.name)[0].to_dense().cpu().numpy()
        if not np.array_equal(drawn, exists):
            grown = np.flatnonzero(exists & ~drawn)
            circuit.store.add_synapses(p.name, [grown], [np.zeros(len(grown))])
            values = torch.as_tensor(exists, dtype=circuit.dtype, device=circuit.device).unsqueeze(0)
            circuit.store.set_mask(p.name, circuit.layouts[p.name].pack(values))
        circuit.set_weights(p.name, network.weights(p.name))
    for name, values in (weights or {}).items():
        circuit.set_weights(name, values)
    return circuit
