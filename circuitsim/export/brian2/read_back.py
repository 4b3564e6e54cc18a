"""Turn a Brian2 network back into a circuit, for analyses and figures."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit, compile
from circuitsim.errors import check_kind
from circuitsim.export.brian2.exported import ExportedNetwork
from circuitsim.motif.expressions import without_spikes


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
    for p in network.motif.projections:
        if p.tied_to is None:
            _set_synapses(circuit, p.name, network.exists(p.name))
            circuit.set_weights(p.name, network.weights(p.name))
    for name, values in (weights or {}).items():
        circuit.set_weights(name, values)
    return circuit


def _set_synapses(circuit: Circuit, projection: str, exists: np.ndarray) -> None:
    """Give a projection the synapses of the exported replica."""
    drawn = circuit.mask(projection)[0].to_dense().cpu().numpy()
    if not np.array_equal(drawn, exists):
        grown = np.flatnonzero(exists & ~drawn)
        circuit.store.add_synapses(projection, [grown], [np.zeros(len(grown))])
        values = torch.as_tensor(exists, dtype=circuit.dtype, device=circuit.device).unsqueeze(0)
        circuit.store.set_mask(projection, circuit.layouts[projection].pack(values))
