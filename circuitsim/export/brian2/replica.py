"""One replica of a circuit as NumPy arrays: all that a transcript takes from the engine, beside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.parts import Values
from circuitsim.motif import Motif, Population, Projection
from circuitsim.plan import Plan


@dataclass(frozen=True)
class Replica:
    """The state of one replica.

    Args:
        motif: the declaration.
        plans: what its step does, one for each phase.
        weights, masks: by projection, shape ``[post, pre]``, float64 and boolean.
        parameters: by projection and name: a number, or an array ``[post, pre]``; every `eta` is multiplied by
            the circuit's `eta_scale`.
        states: by population or projection and name: ``[neuron]`` or ``[post, pre]``.
    """

    motif: Motif
    plans: tuple[Plan, ...]
    weights: Mapping[str, np.ndarray]
    masks: Mapping[str, np.ndarray]
    parameters: Mapping[str, Mapping[str, Values]]
    states: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def plan(self) -> Plan:
        """That of the first phase, which is the only one unless phases are declared."""
        return self.plans[0]

    @classmethod
    def of(cls, circuit: Circuit, replica: int) -> Replica:
        """Read a circuit.

        Raises:
            ParameterError: there is no such replica.
            CircuitError: the replica is held at a snapshot, so it does not follow the plan.
        """
        if isinstance(replica, bool) or not isinstance(replica, int) or not 0 <= replica < circuit.n_replicas:
            raise ParameterError(f"replica must be in 0 .. {circuit.n_replicas - 1} (got {replica!r})")
        if replica in circuit.held:
            raise CircuitError(
                f"replica {replica} ran away and is held at a snapshot: no rule changes it any more; "
                "export another replica, or load the circuit anew"
            )
        names = [p.name for p in circuit.motif.projections]
        plastic = dict.fromkeys(p.name for plan in circuit.plans for p in plan.plastic())
        owners: list[Population | Projection] = [*circuit.motif.populations, *circuit.motif.projections]
        return cls(
            circuit.motif,
            circuit.plans,
            {name: _array(circuit.weights(name)[replica]).astype(float) for name in names},
            {name: _array(circuit.mask(name)[replica]) for name in names},
            {name: _parameters(circuit, name, replica) for name in plastic},
            {o.name: {k: _array(circuit.state(o.name, k)[replica]).astype(float) for k in o.state} for o in owners},
        )

    def synapses(self, projection: str) -> tuple[np.ndarray, np.ndarray]:
        """Indices (pre, post) of the present synapses, in Brian2's order: pre by pre."""
        pre, post = np.nonzero(self.masks[projection].T)
        return pre, post


def _parameters(circuit: Circuit, projection: str, replica: int) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for name, value in circuit.parameters(projection).items():
        array = _array(value).astype(float)
        array = array[replica] if array.ndim == 1 else array
        array = array * circuit.eta_scale if name == "eta" else array
        found[name] = float(array) if array.ndim == 0 else array
    return found


def _array(value: Any) -> np.ndarray:
    return value.detach().to_dense().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
