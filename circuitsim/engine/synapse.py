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
    """All that is known of one projection in one replica, as NumPy arrays ``[post, pre]``."""

    projection: str
    replica: int
    pre: str
    post: str
    rule: str | None
    plastic: bool
    weight: np.ndarray
    mask: np.ndarray
    parameters: dict[str, np.ndarray]
    change: np.ndarray | None

    @classmethod
    def of(cls, circuit: Circuit, projection: str, replica: int) -> _View:
        if not 0 <= replica < circuit.n_replicas:
            raise ParameterError(f"replica must be in 0 .. {circuit.n_replicas - 1} (got {replica!r})")
        p = circuit.motif.projection(projection)
        plastic = any(q.name == p.name for plan in circuit.plans for q in plan.plastic())
        weight = circuit.weights(projection)[replica].cpu().numpy()
        changes = circuit._changes or {}
        change = circuit.last_change(projection)[replica].cpu().numpy() if projection in changes else None
        rule = p.rule.expression if p.rule is not None else None
        values = {name: _of_replica(value, replica) for name, value in parameters(circuit, projection).items()}
        spread = {name: np.broadcast_to(value, weight.shape) for name, value in values.items()}
        mask = circuit.mask(projection)[replica].cpu().numpy()
        return cls(projection, replica, p.pre, p.post, rule, plastic, weight, mask, spread, change)

    def synapse(self, post: int, pre: int) -> Synapse:
        return Synapse(
            projection=self.projection,
            replica=self.replica,
            pre=(self.pre, pre),
            post=(self.post, post),
            weight=float(self.weight[post, pre]),
            rule=self.rule,
            parameters={name: float(value[post, pre]) for name, value in self.parameters.items()},
            plastic=self.plastic,
            last_change=None if self.change is None else float(self.change[post, pre]),
        )


def parameters(circuit: Circuit, projection: str) -> dict[str, Any]:
    """The parameters of a rule: floats, or tensors ``[replica]`` or ``[post, pre]``."""
    found: dict[str, Any] = {}
    for path, value in circuit._parameters.items():
        owner, _, name = path.partition(".")
        if owner != projection:
            continue
        if isinstance(value, Tensor):
            is_per_replica = tuple(value.shape) == (circuit.n_replicas, 1, 1) and np.ndim(_declared(circuit, path)) < 2
            value = value.flatten() if is_per_replica else circuit.layouts[projection].dense(value)[0]
        found[name] = value
    return found


def _declared(circuit: Circuit, path: str) -> Any:
    projection, name = path.split(".")
    rule = circuit.motif.projection(projection).rule
    return circuit.vary.get(path, rule.parameters[name] if rule is not None else 0.0)


def _of_replica(value: Any, replica: int) -> np.ndarray:
    array = value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    return array[replica] if array.ndim == 1 else array


def synapse(circuit: Circuit, projection: str, *, post: int, pre: int, replica: int) -> Synapse:
    """One synapse; see `Circuit.synapse`."""
    view = _View.of(circuit, projection, replica)
    for end, index, size in (("post", post, view.weight.shape[0]), ("pre", pre, view.weight.shape[1])):
        if not 0 <= index < size:
            raise ParameterError(f"projection {projection!r}: {end} must be in 0 .. {size - 1} (got {index!r})")
    if not view.mask[post, pre]:
        raise ParameterError(f"projection {projection!r}: there is no synapse from {pre} to {post} (replica {replica})")
    return view.synapse(post, pre)


def iterate(circuit: Circuit, projection: str, replica: int) -> Iterator[Synapse]:
    """All present synapses, row by row."""
    view = _View.of(circuit, projection, replica)
    return (view.synapse(int(post), int(pre)) for post, pre in np.argwhere(view.mask))


def table(circuit: Circuit, projection: str | None, replica: int) -> pd.DataFrame:
    """One row per present synapse; see `Circuit.table`."""
    names = [projection] if projection is not None else [p.name for p in circuit.motif.projections]
    return pd.concat([_rows(_View.of(circuit, name, replica)) for name in names], ignore_index=True)


def _rows(view: _View) -> pd.DataFrame:
    post, pre = np.nonzero(view.mask)
    columns: dict[str, Any] = {
        "projection": view.projection,
        "pre_population": view.pre,
        "pre": pre,
        "post_population": view.post,
        "post": post,
        "weight": view.weight[post, pre],
        "plastic": view.plastic,
    }
    columns |= {name: value[post, pre] for name, value in view.parameters.items()}
    columns["last_change"] = np.nan if view.change is None else view.change[post, pre]
    return pd.DataFrame(columns)


def connectome(circuit: Circuit, replica: int, threshold: float) -> nx.MultiDiGraph:
    """Neurons and synapses as a graph; see `Circuit.connectome`."""
    graph = nx.MultiDiGraph(name=circuit.motif.name, replica=replica)
    for population in circuit.motif.populations:
        for index in range(population.size):
            graph.add_node((population.name, index), population=population.name, stream=population.stream)
    for p in circuit.motif.projections:
        view = _View.of(circuit, p.name, replica)
        chosen = view.mask & (np.abs(view.weight) >= threshold)
        for post, pre in np.argwhere(chosen):
            graph.add_edge(
                (p.pre, int(pre)),
                (p.post, int(post)),
                key=p.name,
                weight=float(view.weight[post, pre]),
                target=p.target,
            )
    return graph
