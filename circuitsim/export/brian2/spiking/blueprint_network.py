"""What the two kinds of spiking network have in common: a blueprint, whose weights and parameters can be set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from circuitsim.engine.given import read_matrix
from circuitsim.errors import ParameterError
from circuitsim.export.brian2.cycles import WEIGHT
from circuitsim.export.brian2.exported import STANDALONE, ExportedNetwork
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spelling import of_neuron, of_synapse
from circuitsim.export.brian2.spiking.blueprint import Blueprint, Record, Wires
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.number import number
from circuitsim.motif.checks import index
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
    blueprint: Blueprint

    def __init__(self, replica: Replica, spiking: Spiking, blueprint: Blueprint, target: str, directory: Any) -> None:
        super().__init__(replica)
        self.spiking, self.target, self.plan, self.blueprint = spiking, target, replica.plan, blueprint
        self._player = _player(target, directory, blueprint)
        self._records: dict[tuple[str, str], Record] = {}

    def weights(self, projection: str) -> np.ndarray:
        wires = self.blueprint.wires.get(self._projection(projection).name)
        if wires is None:
            return self._replica.weights[projection].copy()
        return self._dense(projection, wires.variables[WEIGHT])

    def set_weights(self, projection: str, weights: Any) -> None:
        """Set the weights of a projection.

        Args:
            projection: the projection's name.
            weights: shape ``[post, pre]``; 0 where there is no synapse.
        Raises:
            ParameterError: there is no such projection, it is not exported or tied to another, or a weight is not a
                finite number, lies where there is no synapse, or is out of the projection's bounds.
        """
        owner, exists = f"projection {projection!r}", self.exists(projection)
        wires = self.blueprint.wires.get(projection)
        if wires is None:
            raise ParameterError(f"{owner}: the network has none of its synapses (plastic=False leaves some out)")
        plan, shape = self.plan.projections[projection], exists.shape
        if plan.derived is not None:
            raise ParameterError(f"{owner} is tied to {plan.derived.projection!r}; set the weights of that one")
        matrix = read_matrix(self.motif, self._projection(projection), (1, *shape), weights, owner)
        given = matrix.to_dense().double().cpu().numpy().reshape(shape)
        low, high = (
            end if end is not None else sign * np.inf
            for end, sign in zip(plan.bounds or (None, None), (-1, 1), strict=True)
        )
        for is_wrong, reason in (
            (~np.isfinite(given), "is not finite"),
            (~exists & (given != 0), "lies where there is no synapse"),
            (exists & ((given < low) | (given > high)), f"is out of the bounds {plan.bounds}"),
        ):
            if is_wrong.any():
                post, pre = np.argwhere(is_wrong)[0].tolist()
                raise ParameterError(
                    f"{owner}: the weight from neuron {pre} to neuron {post} ({given[post, pre]:g}) {reason} "
                    f"({int(is_wrong.sum())} like this)"
                )
        wires.variables[WEIGHT] = given[wires.j, wires.i]

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
        if abs(every / step - round(every / step)) > 1e-9 or every < step:
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
            raise ParameterError(f"record: {owner!r} has no variable {variable!r} (known: {', '.join(names)})")
        if isinstance(part, Wires):
            return Record(owner, found[0], every, tuple(range(len(part.i))))
        chosen = range(part.size) if neurons is None else neurons
        which = tuple(index(f"record: neuron of population {owner!r}", k, part.size) for k in chosen)
        return Record(owner, found[0], every, which)

    def _recorded(self, **changes: Any) -> Blueprint:
        """The blueprint of a run that is recorded, with further changes."""
        watched: dict[str, frozenset[str]] = {}
        for r in self._records.values():
            watched[r.owner] = watched.get(r.owner, frozenset()) | {r.variable}
        wires = {
            name: dataclasses.replace(w, watched=watched.get(name, frozenset()))
            for name, w in self.blueprint.wires.items()
        }
        records = tuple(self._records.values())
        return dataclasses.replace(self.blueprint, wires=wires, records=records, records_spikes=True, **changes)

    def __str__(self) -> str:
        return str(self.blueprint)


def _player(target: str, directory: Any, b: Blueprint) -> Any:
    from circuitsim.export.brian2.names import check_names  # imported late, because it imports brian2

    check_names({part.name: part.names for part in b.parts.values()})
    if target == STANDALONE:
        from circuitsim.export.brian2.spiking.program import Standalone

        return Standalone(directory)
    from circuitsim.export.brian2.spiking.runtime import Runtime

    return Runtime(target)
