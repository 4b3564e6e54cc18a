"""Explicit synapses: one, all of a projection, as a table, as a graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
from torch import Tensor

from circuitsim.errors import ParameterError

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit


@dataclass(frozen=True)
class Synapse:
    """One synapse at the moment of asking.

    Args:
        projection, replica: where it belongs.
        pre, post: (population, index of the neuron).
        weight: dimensionless.
        rule: the expression of its rule, or None.
        parameters: the rule's parameters, as they are for this synapse.
        plastic: whether a step changes it.
        last_change: of the weight in the last step, or None where it is not recorded.
    """

    projection: str
    replica: int
    pre: tuple[str, int]
    post: tuple[str, int]
    weight: float
    rule: str | None
    parameters: dict[str, float]
    plastic: bool
    last_change: float | None


@dataclass(frozen=True)
class _View:
    """All that is known of one projection in one replica; arrays hold a number for each synapse, row by row."""

    projection: str
    replica: int
    pre_population: str
    post_population: str
    rule: str | None
    plastic: bool
    post: np.ndarray
    pre: np.ndarray
    weight: np.ndarray
    parameters: dict[str, np.ndarray]
    change: np.ndarray | None

    @classmethod
    def of(cls, circuit: Circuit, projection: str, replica: int) -> _View:
        if not 0 <= replica < circuit.n_replicas:
            raise ParameterError(f"replica must be in 0 .. {circuit.n_replicas - 1} (got {replica!r})")
        p = circuit.motif.projection(projection)
        layout = circuit.layouts[p.name]
        plastic = any(q.name == p.name for plan in circuit.plans for q in plan.plastic())
        post, pre = (index.cpu().numpy() for index in layout.synapses(replica))
        weight = layout.at_synapses(circuit.values(p.name), replica).cpu().numpy()
        changes = circuit._changes or {}
        change = layout.at_synapses(changes[p.name], replica).cpu().numpy() if p.name in changes else None
        rule = p.rule.expression if p.rule is not None else None
        values = {
            path.partition(".")[2]: _of_replica(circuit, path, value, replica)
            for path, value in circuit._parameters.items()
            if path.startswith(f"{p.name}.")
        }
        spread = {name: np.broadcast_to(value, weight.shape) for name, value in values.items()}
        return cls(p.name, replica, p.pre, p.post, rule, plastic, post, pre, weight, spread, change)

    def synapse(self, k: int) -> Synapse:
        """Synapse number k of the view."""
        return Synapse(
            projection=self.projection,
            replica=self.replica,
            pre=(self.pre_population, int(self.pre[k])),
            post=(self.post_population, int(self.post[k])),
            weight=float(self.weight[k]),
            rule=self.rule,
            parameters={name: float(value[k]) for name, value in self.parameters.items()},
            plastic=self.plastic,
            last_change=None if self.change is None else float(self.change[k]),
        )


def parameters(circuit: Circuit, projection: str) -> dict[str, Any]:
    """The parameters of a rule: floats, or tensors ``[replica]`` or ``[post, pre]``."""
    found: dict[str, Any] = {}
    for path, value in circuit._parameters.items():
        owner, _, name = path.partition(".")
        if owner != projection:
            continue
        if isinstance(value, Tensor):
            matrix = circuit.layouts[projection].matrix
            value = value.flatten() if _is_per_replica(circuit, path) else matrix(value)[0]
        found[name] = value
    return found


def _is_per_replica(circuit: Circuit, path: str) -> bool:
    return np.ndim(_declared(circuit, path)) < 2


def _declared(circuit: Circuit, path: str) -> Any:
    projection, name = path.split(".")
    rule = circuit.motif.projection(projection).rule
    return circuit.vary.get(path, rule.parameters[name] if rule is not None else 0.0)


def _of_replica(circuit: Circuit, path: str, value: Any, replica: int) -> np.ndarray:
    """A parameter as a number, or at each synapse."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    if _is_per_replica(circuit, path):
        return value[replica, 0, 0].cpu().numpy()
    return circuit.layouts[path.partition(".")[0]].at_synapses(value, replica).cpu().numpy()


def synapse(circuit: Circuit, projection: str, *, post: int, pre: int, replica: int) -> Synapse:
    """One synapse; see `Circuit.synapse`."""
    view = _View.of(circuit, projection, replica)
    for end, index, size in zip(("post", "pre"), (post, pre), circuit.layouts[view.projection].shape, strict=True):
        if not 0 <= index < size:
            raise ParameterError(f"projection {projection!r}: {end} must be in 0 .. {size - 1} (got {index!r})")
    found = np.flatnonzero((view.post == post) & (view.pre == pre))
    if not len(found):
        raise ParameterError(f"projection {projection!r}: there is no synapse from {pre} to {post} (replica {replica})")
    return view.synapse(int(found[0]))


def iterate(circuit: Circuit, projection: str, replica: int) -> Iterator[Synapse]:
    """All present synapses, row by row."""
    view = _View.of(circuit, projection, replica)
    return (view.synapse(k) for k in range(len(view.weight)))


def table(circuit: Circuit, projection: str | None, replica: int) -> pd.DataFrame:
    """One row per present synapse; see `Circuit.table`."""
    names = [projection] if projection is not None else [p.name for p in circuit.motif.projections]
    return pd.concat([_rows(_View.of(circuit, name, replica)) for name in names], ignore_index=True)


def _rows(view: _View) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "projection": view.projection,
        "pre_population": view.pre_population,
        "pre": view.pre,
        "post_population": view.post_population,
        "post": view.post,
        "weight": view.weight,
        "plastic": view.plastic,
    }
    columns |= view.parameters
    columns["last_change"] = np.nan if view.change is None else view.change
    return pd.DataFrame(columns)


def connectome(circuit: Circuit, replica: int, threshold: float) -> nx.MultiDiGraph:
    """Neurons and synapses as a graph; see `Circuit.connectome`."""
    graph = nx.MultiDiGraph(name=circuit.motif.name, replica=replica)
    for population in circuit.motif.populations:
        for index in range(population.size):
            graph.add_node((population.name, index), population=population.name, stream=population.stream)
    for p in circuit.motif.projections:
        view = _View.of(circuit, p.name, replica)
        for k in np.flatnonzero(np.abs(view.weight) >= threshold):
            graph.add_edge(
                (p.pre, int(view.pre[k])),
                (p.post, int(view.post[k])),
                key=p.name,
                weight=float(view.weight[k]),
                target=p.target,
            )
    return graph
