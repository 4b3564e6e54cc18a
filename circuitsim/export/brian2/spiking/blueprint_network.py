"""What the two kinds of spiking network have in common: a blueprint, whose weights and parameters can be set."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.cycles import WEIGHT
from circuitsim.export.brian2.exported import ExportedNetwork
from circuitsim.export.brian2.read_back import circuit_from_brian2
from circuitsim.export.brian2.spelling import of_synapse
from circuitsim.export.brian2.spiking.number import number
from circuitsim.plan import Plan


class BlueprintNetwork(ExportedNetwork):
    """One replica as spiking neurons. Printing it shows every equation.

    Attributes:
        motif: the declaration.
        seed: the seed of the exported replica.
        plan: the plan that is exported.
        blueprint: the description of neurons and synapses with their equations.
    """

    plan: Plan

    def set_weights(self, projection: str, weights: Any) -> None:
        """Set the weights of a projection.

        Args:
            projection: the projection's name.
            weights: shape ``[post, pre]``; 0 where there is no synapse.
        Raises:
            ParameterError: there is no such projection, it is not exported or tied to another, or a weight is not a
                finite number, lies where there is no synapse, or is out of the projection's bounds.
        """
        wires = self.blueprint.wires.get(self._projection(projection).name)
        if wires is None:
            raise ParameterError(
                f"projection {projection!r}: the network has none of its synapses (plastic=False leaves some out)"
            )
        circuit = circuit_from_brian2(self)  # which refuses what does not fit
        circuit.set_weights(projection, weights)
        wires.variables[WEIGHT] = circuit.weights(projection)[0].to_dense().numpy()[wires.j, wires.i]

    def set_parameter(self, path: str, value: float) -> None:
        """Change a parameter of a rule, without compiling again.

        Args:
            path: projection and parameter, such as ``"W0.eta"``.
            value: the new number.
        Raises:
            ParameterError: there is no such parameter, or it or the value is not a single finite number.
        """
        projection, _, name = path.partition(".")
        wires = self.blueprint.wires.get(projection)
        if wires is None or np.ndim(wires.parameters.get(of_synapse(name), np.zeros(1))):
            known = [
                f"{q.name}.{p}"
                for q in self._replica.motif.projections
                for p, value in self._replica.parameters.get(q.name, {}).items()
                if np.ndim(value) == 0
            ]
            raise ParameterError(
                f"there is no parameter {path!r} that is a single number (known: {', '.join(known) or 'none'})"
            )
        wires.parameters[of_synapse(name)] = number(f"parameter {path!r}", value)
