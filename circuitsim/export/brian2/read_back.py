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
    Returns:
        The circuit, on the CPU and in float64 unless `options` say otherwise.
    Raises:
        ParameterError: an option is out of range, or weights do not fit.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> network = cs.export_brian2(cs.compile(sal([4, 3, 2], trace=None), seed=3))
        >>> cs.circuit_from_brian2(network)
        Circuit('sal': 1 replicas, seed 3, cpu, float64, 0 steps done)
    """
    circuit = compile(network.motif, seed=network.seed, **{"device": "cpu", "dtype": "float64", **options})
    for p in network.motif.projections:
        if p.weight is None:
            circuit.set_weights(p.name, (weights or {}).get(p.name, network.weights(p.name)))
    return circuit
