"""From a Brian2 network back to a circuit, for analyses and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuitsim.engine import Circuit, compile
from circuitsim.export.brian2.rate import RateNetwork
from circuitsim.export.brian2.spiking.network import SpikingNetwork


def circuit_from_brian2(
    network: RateNetwork | SpikingNetwork, weights: Mapping[str, Any] | None = None, **options: Any
) -> Circuit:
    """A compiled circuit of one replica with the weights of an exported network.

    Args:
        network: from `export_brian2`.
        weights: by projection ``[post, pre]``, in place of those that the network has now, such as an entry of
            ``history.records["weights"]``.
        options: as in `compile`, such as `device` and `dtype`.
    """
    circuit = compile(network.motif, seed=network.seed, **{"device": "cpu", "dtype": "float64", **options})
    for p in network.motif.projections:
        if p.weight is None:
            circuit.set_weights(p.name, (weights or {}).get(p.name, network.weights(p.name)))
    return circuit
