"""Read networks in the SONATA format (HDF5), as BMTK, libsonata and others write them.

Source: Dai et al. (2020), The SONATA data format for efficient description of large-scale network models, PLoS
Computational Biology 16:e1007696.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from circuitsim.errors import ArchiveError
from circuitsim.export.interchange.graph_file import (
    Repeated,
    add_neurons,
    add_synapses,
    check_repeated,
    needed,
    reading,
)

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Array = np.ndarray[Any, Any]
MOST = 10_000_000  # synapses; as a graph they take about 10 GB
COUNT = "nsyns"  # BMTK's number of equal synapses that an edge stands for


def read_sonata(
    edges: str | os.PathLike[str],
    *,
    nodes: Paths = (),
    edge_types: str | os.PathLike[str] | None = None,
    weight: str | None = "syn_weight",
    repeated: Repeated = None,
) -> nx.MultiDiGraph:
    """Read the edges of a SONATA network as a connectome.

    Args:
        edges: a file of edges (HDF5). ``networkx.compose`` joins the connectomes of several files.
        nodes: one or several files of nodes (HDF5), which tell how many neurons a population has. For other
            populations, the neurons up to the largest index with a synapse are assumed.
        edge_types: the table of edge types (CSV) that belongs to `edges`, with attributes that edges of a type share.
        weight: the attribute that is the weight of a synapse, in the edges or their types; None gives every synapse
            weight 1. Where edges have the attribute "nsyns" of BMTK, weights are multiplied by it.
        repeated: "sum" adds the weights of several edges of one population of edges that join two neurons; by default
            they are refused.
    Returns:
        A graph such as `Circuit.connectome` returns: nodes are ``(population, node id)``, edges are keyed by the
        population of edges and have a `weight`. For an example see docs/how_to/read_other_files.md.
    Raises:
        MissingPackage: h5py is not installed.
        ParameterError: `repeated` is unknown.
        ArchiveError: a file cannot be read or is not of this format, the weight is missing or not finite, a node is
            missing, or a pair of neurons occurs more than once.
    """
    h5py = needed("h5py", "reading SONATA files")
    check_repeated("read_sonata", repeated)
    connectome, types = nx.MultiDiGraph(), _edge_types(edge_types)
    sizes: dict[str, int] = {}
    for path in [nodes] if isinstance(nodes, str | os.PathLike) else nodes:
        with _opened(h5py, Path(path), "nodes") as populations:
            for name, group in populations.items():
                ids = group["node_id"][()] if "node_id" in group else np.arange(len(group["node_type_id"]))
                if sorted(ids.tolist()) != list(range(len(ids))):
                    raise ValueError(f"the node ids of population {name!r} are not 0 to {len(ids) - 1}")
                sizes[name] = len(ids)
                add_neurons(connectome, name, len(ids))
    with _opened(h5py, Path(edges), "edges") as populations:
        for name, group in populations.items():
            ends = _population(group, "source_node_id"), _population(group, "target_node_id")
            pre, post, weights = _synapses(group, name, weight, types)
            for population, indices in zip(ends, (pre, post), strict=True):
                n = max(indices.tolist(), default=-1) + 1
                if n > sizes.get(population, n):
                    raise ValueError(
                        f"{name!r} has a synapse at node {n - 1} of {population!r}, which has {sizes[population]} nodes"
                    )
                add_neurons(connectome, population, sizes.get(population, n))
            rows = zip(pre.tolist(), post.tolist(), weights.tolist(), strict=True)
            add_synapses(connectome, name, ends, rows, repeated)
    return connectome


@contextlib.contextmanager
def _opened(h5py: Any, path: Path, kind: str) -> Iterator[Mapping[str, Any]]:
    """Open a file and return its group "nodes" or "edges"; errors about its content name the file."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        reason = str(error) if path.exists() else "no such file"
        raise ArchiveError(f"{path}: cannot be read as HDF5 ({reason})") from None
    with file, reading(path, f"SONATA file of {kind}"):
        if kind not in file:
            raise ValueError(f"it has no group {kind!r} (it has {', '.join(file) or 'none'})")
        try:
            yield file[kind]
        except OSError as error:
            raise ValueError(f"it is damaged ({error})") from None


def _population(group: Any, name: str) -> str:
    if name not in group:
        raise ValueError(f"{group.name} has no {name}")
    population = group[name].attrs.get("node_population", b"")
    population = population.decode() if isinstance(population, bytes) else str(population)
    if not population:
        raise ValueError(f"{group.name}/{name} does not say to which population its nodes belong (node_population)")
    return population


def _synapses(group: Any, name: str, weight: str | None, types: pd.DataFrame) -> tuple[Array, Array, Array]:
    """The indices of both nodes and the weight of each edge of a population of edges."""
    n = len(group["source_node_id"])
    if n > MOST:
        raise ValueError(f"{name!r} has {n:,} edges; at most {MOST:,} can be read as a graph")
    pre, post, edge_type = (_column(group, key, n) for key in ("source_node_id", "target_node_id", "edge_type_id"))
    weights, counts = (_attribute(group, name, key, n, edge_type, types) for key in (weight, COUNT))
    if weight is not None and weights is None:
        attributes = sorted({key for part in group if part.isdigit() for key in group[part]})
        raise ValueError(
            f"{name!r} has no weight {weight!r} (its edges have {', '.join(attributes) or 'no attributes'}, "
            f"its edge types {', '.join(map(str, types)) or 'none'}): name another, give edge_types, or use weight=None"
        )
    weights = np.ones(n) if weights is None else weights
    return pre, post, weights if counts is None or weight == COUNT else weights * counts


def _column(group: Any, name: str, n: int) -> Array:
    if name not in group or group[name].shape != (n,):
        found = group[name].shape if name in group else "nothing"
        raise ValueError(f"{group.name}/{name} must hold {n} numbers (got {found})")
    values = np.asarray(group[name][()])
    if values.dtype.kind not in "iu" or (n and values.min() < 0):
        raise ValueError(f"{group.name}/{name} must hold whole numbers, not negative (got {values.dtype})")
    return values


def _attribute(group: Any, name: str, key: str | None, n: int, edge_type: Array, types: pd.DataFrame) -> Array | None:
    """An attribute of each edge: that of the edge itself, or else of its type; None if no edge has it."""
    if key is None:
        return None
    values = np.full(n, np.nan)
    if key in types:
        values = types[key].astype(float).reindex(edge_type).to_numpy(copy=True)
    parts = [part for part in group if part.isdigit() and key in group[part]]
    if not parts and key not in types:
        return None
    if parts:
        of_group, index = _column(group, "edge_group_id", n), _column(group, "edge_group_index", n)
        for part in parts:
            own = of_group == int(part)
            values[own] = np.asarray(group[part][key][()], dtype=float)[index[own]]
    if (missing := np.isnan(values)).any():
        raise ValueError(
            f"{int(missing.sum())} edges of {name!r} have no {key!r}, the first at {int(missing.argmax())}"
        )
    return values


def _edge_types(path: str | os.PathLike[str] | None) -> pd.DataFrame:
    if path is None:
        return pd.DataFrame()
    try:
        table = pd.read_csv(path, sep=r"\s+")
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path}: cannot be read as a table of edge types ({error})") from None
    if "edge_type_id" not in table or table.edge_type_id.duplicated().any():
        raise ArchiveError(
            f"{path}: not a table of edge types, which has a column edge_type_id without repetitions (it has the "
            f"columns {', '.join(map(str, table))})"
        )
    return table.set_index("edge_type_id")
