"""Synapses one by one, as a table and as a graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import ParameterError
from circuitsim.motif.checks import index, is_number
from circuitsim.plan.quantities import synapse as quantity

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from circuitsim.engine.circuit import Circuit


@dataclass(frozen=True)
class Synapse:
    """One synapse, with its values at the time of the call.

    Args:
        projection, replica: the projection's name and the replica's index.
        pre, post: (population, index of the neuron).
        weight: the weight, dimensionless.
        rule: the expression of its rule, or None.
        parameters: the rule's parameters for this synapse.
        plastic: whether a step changes the weight.
        last_change: the change of the weight in the last step, or None if changes are not recorded.
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


def _columns(circuit: Circuit, projection: str, replica: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The columns of a table of synapses, and those of the rule's parameters; what all synapses share is one value."""
    replica = index("replica", replica, circuit.n_replicas)
    p = circuit.motif.projection(projection)
    layout, recorded = circuit.layouts[p.name], circuit.changes.get(p.name)
    learns = any(q.name == p.name for plan in circuit.plans for q in plan.plastic())
    post, pre = (index.cpu().numpy() for index in layout.synapses(replica))
    weight = layout.at_synapses(circuit.values(p.name), replica).cpu().numpy()
    columns = {
        "projection": p.name,
        "pre_population": p.pre,
        "pre": pre,
        "post_population": p.post,
        "post": post,
        "replica": replica,
        "compartment": p.compartment,
        "weight": weight,
        "plastic": learns and replica not in circuit.store.pinned,
        "rule": p.rule.expression if p.rule is not None else None,
        "last_change": np.nan if recorded is None else layout.at_synapses(recorded, replica).cpu().numpy(),
    }
    values: dict[str, np.ndarray] = {}
    for name, value in _declared(circuit, p.name).items():
        if isinstance(value, Tensor):
            values[name] = layout.at_synapses(value, replica).cpu().numpy()
        else:
            shared = value[replica, 0, 0] if isinstance(value, np.ndarray) else value
            values[name] = np.broadcast_to(shared, weight.shape)
    return columns, values


def _synapse(columns: dict[str, Any], parameters: dict[str, np.ndarray], k: int) -> Synapse:
    change = columns["last_change"]
    return Synapse(
        **{name: columns[name] for name in ("projection", "replica", "rule", "plastic")},
        pre=(columns["pre_population"], int(columns["pre"][k])),
        post=(columns["post_population"], int(columns["post"][k])),
        weight=float(columns["weight"][k]),
        parameters={name: float(value[k]) for name, value in parameters.items()},
        last_change=float(change[k]) if isinstance(change, np.ndarray) else None,
    )


def parameters(circuit: Circuit, projection: str) -> dict[str, Any]:
    """The parameters of a rule as floats, or as tensors ``[replica]`` or ``[post, pre]``."""
    found: dict[str, Any] = {}
    for name, value in _declared(circuit, projection).items():
        found[name] = value
        if isinstance(value, np.ndarray):
            found[name] = torch.as_tensor(value.flatten(), dtype=circuit.dtype, device=circuit.device)
        elif isinstance(value, Tensor):
            found[name] = circuit.layouts[projection].matrix(value)[0]
    return found


def _declared(circuit: Circuit, projection: str) -> dict[str, float | np.ndarray | Tensor]:
    """Parameters keyed by name: a number, an array ``[replica, 1, 1]``, or a tensor with one number per synapse."""
    rule = circuit.motif.projection(projection).rule
    names = rule.parameters if rule is not None else ()
    return {name: circuit.store.parameters.declared(quantity(name, projection).name) for name in names}


def synapse(circuit: Circuit, projection: str, *, post: int, pre: int, replica: int) -> Synapse:
    """One synapse; see `Circuit.synapse`."""
    columns, values = _columns(circuit, projection, replica)
    n_post, n_pre = circuit.layouts[columns["projection"]].shape
    post = index(f"projection {projection!r}: post", post, n_post)
    pre = index(f"projection {projection!r}: pre", pre, n_pre)
    found = np.flatnonzero((columns["post"] == post) & (columns["pre"] == pre))
    if not len(found):
        raise ParameterError(f"projection {projection!r}: there is no synapse from {pre} to {post} (replica {replica})")
    return _synapse(columns, values, int(found[0]))


def iterate(circuit: Circuit, projection: str, replica: int) -> Iterator[Synapse]:
    """Iterate over all synapses that exist, row by row."""
    columns, values = _columns(circuit, projection, replica)
    return (_synapse(columns, values, k) for k in range(len(columns["weight"])))


def table(circuit: Circuit, projection: str | None, replica: int | None) -> pd.DataFrame:
    """A table with one row per synapse that exists; see `Circuit.table`."""
    import pandas as pd  # imported late, because importing takes half a second

    names = [projection] if projection is not None else [p.name for p in circuit.motif.projections]
    replicas = range(circuit.n_replicas) if replica is None else [replica]
    parts = []
    for columns, values in (_columns(circuit, name, r) for name in names for r in replicas):
        named = {f"rule_{k}" if k in columns else k: v for k, v in values.items()}
        change = {"last_change": columns.pop("last_change")}
        parts.append(pd.DataFrame(columns | named | change))
    return pd.concat(parts, ignore_index=True)


def connectome(circuit: Circuit, replica: int, threshold: float) -> nx.MultiDiGraph:
    """Neurons and synapses as a graph; see `Circuit.connectome`."""
    if not is_number(threshold):
        raise ParameterError(f"connectome: threshold must be a number (got {threshold!r})")
    import networkx as nx  # imported late, because a circuit that is only run does not need it

    graph = nx.MultiDiGraph(name=circuit.motif.name, replica=replica)
    for population in circuit.motif.populations:
        for k in range(population.size):
            graph.add_node((population.name, k), population=population.name, stream=population.stream)
    for p in circuit.motif.projections:
        columns, _ = _columns(circuit, p.name, replica)
        pre, post, weight = (columns[name] for name in ("pre", "post", "weight"))
        for k in np.flatnonzero(np.abs(weight) >= threshold):
            ends = (p.pre, int(pre[k])), (p.post, int(post[k]))
            graph.add_edge(*ends, key=p.name, weight=float(weight[k]), compartment=p.compartment)
    return graph
