"""What the two kinds of spiking network have in common: a blueprint, whose weights and parameters can be set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from circuitsim.errors import ParameterError, SimulationDiverged
from circuitsim.export.brian2.blueprint import Blueprint, Record
from circuitsim.export.brian2.exported import ExportedNetwork, circuit_from_brian2
from circuitsim.export.brian2.language import as_declared, of_neuron, of_parameter, of_synapse
from circuitsim.export.brian2.parts import Wires
from circuitsim.export.brian2.replica import WEIGHT, Replica
from circuitsim.export.brian2.results import Results
from circuitsim.export.brian2.spiking.cells import Cell
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.neurons import cell_of
from circuitsim.export.brian2.spiking.number import is_multiple, number
from circuitsim.motif.checks import index
from circuitsim.plan import Plan


class BlueprintNetwork(ExportedNetwork):
    """One replica as spiking neurons."""

    plan: Plan

    def __init__(self, replica: Replica, spiking: Spiking, blueprint: Blueprint, target: str, directory: Any) -> None:
        super().__init__(replica, blueprint, target, directory)
        self.spiking, self.target, self.plan = spiking, target, replica.plan
        self._records: dict[tuple[str, str], Record] = {}

    def _cell(self, population: str) -> Cell:
        """The neuron model of a population."""
        return cell_of(self.plan, self.plan.populations[population], self.spiking)

    @property
    def _learning(self) -> list[Wires]:
        return [w for w in self.blueprint.wires.values() if w.learns]

    def _check_weights(self, found: Results, when: str, advice: str, step: int) -> None:
        """Raise a SimulationDiverged if a weight that changes is not finite after a run."""
        for name in (w.name for w in self._learning):
            if not np.isfinite(found.values[name][WEIGHT]).all():
                message = f"projection {name!r}: a weight is not finite after {when}; {advice}"
                raise SimulationDiverged(message, projection=name, replica=0, step=step)

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
        projection, _, name = str(path).partition(".")
        wires = self.blueprint.wires.get(projection)
        if wires is None or np.ndim(wires.parameters.get(of_parameter(name), np.zeros(1))):
            known = [
                f"{q.name}.{p}"
                for q in self._replica.motif.projections
                for p, value in self._replica.parameters.get(q.name, {}).items()
                if np.ndim(value) == 0
            ]
            raise ParameterError(
                f"there is no parameter {path!r} that is a single number (known: {', '.join(known) or 'none'})"
            )
        wires.parameters[of_parameter(name)] = number(f"parameter {path!r}", value)

    def record(self, *, neurons: Sequence[int] | None = None, every_ms: float | None = None, **variables: Any) -> None:
        """Record variables in every run from now on, in addition to all spikes. A variable that is recorded already is
        recorded as the last call says.

        Args:
            neurons: the indices of the neurons; by default all. Of projections, all synapses are recorded.
            every_ms: the interval; by default the time step.
            variables: the populations or projections that are recorded, keyed by variable: "v" (the membrane), "I"
                (the current onto the soma), "w", or a state, as in ``record(v=["y"], w=["W"], x=["x"])``.
        Raises:
            ParameterError: there is no such population, projection, variable or neuron, or the interval is no multiple
                of the time step.
        """
        step = self.spiking.dt_ms
        every = step if every_ms is None else number("record: every_ms", every_ms, positive=True)
        if not is_multiple(every, step):
            raise ParameterError(f"record: every_ms must be a multiple of {step:g} ms, the time step (got {every:g})")
        self._records |= {
            (owner, variable): self._record(owner, variable, neurons, every)
            for variable, owners in variables.items()
            for owner in ([owners] if isinstance(owners, str) else owners)
        }

    def _record(self, owner: str, variable: str, neurons: Sequence[int] | None, every: float) -> Record:
        part = self.blueprint.parts.get(owner)
        if part is None:
            known = ", ".join(self.blueprint.parts)
            raise ParameterError(f"record: there is no population or projection {owner!r} (known: {known})")
        spelled = (of_synapse(variable) if isinstance(part, Wires) else of_neuron(variable), variable)  # states first
        names = list(part.variables) if isinstance(part, Wires) else part.names
        found = [name for name in spelled if name in names]
        if not found:
            known = ", ".join(map(as_declared, names))
            raise ParameterError(f"record: {owner!r} has no variable {variable!r} (known: {known})")
        if isinstance(part, Wires):
            return Record(owner, found[0], every, tuple(range(len(part.i))))
        chosen = range(part.size) if neurons is None else neurons
        which = tuple(index(f"record: neuron of population {owner!r}", k, part.size) for k in chosen)
        return Record(owner, found[0], every, which)

    def _recorded(self, **changes: Any) -> Blueprint:
        """The blueprint of a run that is recorded, with further changes."""
        records = tuple(self._records.values())
        return dataclasses.replace(self.blueprint, records=records, records_spikes=True, **changes)
