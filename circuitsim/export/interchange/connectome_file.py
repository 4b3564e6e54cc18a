"""A connectome, neuron by neuron, in a file that graph programs read, and back."""

from __future__ import annotations

import math
import os
from typing import Any

import networkx as nx

from circuitsim.errors import ParameterError
from circuitsim.export.interchange.graph_file import FROM_BYTES, TO_BYTES, check_suffix, content_of, plainly, reading
from circuitsim.files import write_atomically

SUFFIXES = (".graphml", ".json", ".csv")


def write_connectome(connectome: nx.MultiDiGraph, path: str | os.PathLike[str]) -> None:
    """Write neurons and weighted synapses.

    Args:
        connectome: as from `Circuit.connectome`, perhaps with fewer synapses: nodes ``(population, index)``, edges
            keyed by projection with a `weight` (dimensionless).
        path: ends with .graphml (nodes are called ``up1[3]``), .json (node-link, for networkx and D3; there `target`
            is called ``compartment``) or .csv (a row per synapse: projection, pre_population, pre, post_population,
            post, weight, target; neurons without synapses are lost). Folders are made as needed.
    Raises:
        ParameterError: another suffix, or a graph of another form; the message names the node or edge.
        ArchiveError: the file cannot be written; one that was there before is untouched.
    Example:
        >>> import circuitsim as cs, networkx as nx, tempfile, pathlib
        >>> from motifs import sal
        >>> connectome = cs.compile(sal([3, 2, 2])).connectome()
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "connectome.json"
        >>> cs.write_connectome(connectome, path)
        >>> nx.utils.graphs_equal(cs.read_connectome(path), connectome)
        True
    """
    checked = check_suffix(path, SUFFIXES)
    try:
        _check(connectome)
    except ValueError as error:
        raise ParameterError(f"write_connectome takes a graph as from circuit.connectome(): {error}") from None
    graph = nx.MultiDiGraph(**_plain(connectome.graph))
    graph.add_nodes_from((node, _plain(attributes)) for node, attributes in connectome.nodes(data=True))
    graph.add_edges_from((pre, post, k, _plain(a)) for pre, post, k, a in connectome.edges(keys=True, data=True))
    suffix = checked.suffix.lower()
    write_atomically(checked, TO_BYTES[suffix](_named(graph) if suffix == ".graphml" else graph))


def read_connectome(path: str | os.PathLike[str]) -> nx.MultiDiGraph:
    """Read what `write_connectome` wrote.

    Args:
        path: ends with .graphml, .json or .csv.
    Returns:
        Nodes ``(population, index)``, edges keyed by projection with a `weight`.
    Raises:
        ParameterError: another suffix.
        ArchiveError: there is no such file, or it holds no connectome; the message names file and value.
    Example:
        >>> import circuitsim as cs, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "edges.csv"
        >>> _ = path.write_text("projection,pre_population,pre,post_population,post,weight\\nW,x,0,y,1,0.25\\n")
        >>> cs.read_connectome(path).edges[("x", 0), ("y", 1), "W"]
        {'weight': 0.25}
    """
    checked = check_suffix(path, SUFFIXES)
    content = content_of(checked)
    with reading(checked, "connectome"):
        graph = FROM_BYTES[checked.suffix.lower()](content)
        connectome = _neurons(graph) if checked.suffix.lower() == ".graphml" else graph
        _check(connectome)
    return connectome


def _named(connectome: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Nodes as the strings that GraphML wants, with what they were as attributes."""
    graph = nx.relabel_nodes(connectome, {node: f"{node[0]}[{node[1]}]" for node in connectome})
    for population, index in connectome:
        graph.nodes[f"{population}[{index}]"].update(population=population, index=index)
    return graph


def _neurons(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    names = {}
    for name, attributes in graph.nodes(data=True):
        if not {"population", "index"} <= set(attributes):
            raise ValueError(f"node {name!r} lacks population or index (it has: {', '.join(attributes) or 'nothing'})")
        names[name] = (attributes["population"], attributes.pop("index"))
    if len(set(names.values())) < len(names):
        raise ValueError("two nodes have the same population and index")
    return nx.relabel_nodes(graph, names)


def _check(connectome: Any) -> None:
    if not isinstance(connectome, nx.MultiDiGraph):
        raise ValueError(f"not a directed multigraph (got {type(connectome).__name__})")
    for node in connectome:
        is_pair = isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], str)
        if not is_pair or isinstance(node[1], bool) or not isinstance(plainly(node[1]), int) or node[1] < 0:
            raise ValueError(f"node {node!r} is not (population, index)")
    for pre, post, key, attributes in connectome.edges(keys=True, data=True):
        weight = plainly(attributes.get("weight"))
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise ValueError(f"edge {key!r} from {pre!r} to {post!r}: weight must be a finite number (got {weight!r})")


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {str(name): plainly(value) for name, value in attributes.items()}
