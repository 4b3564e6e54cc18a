"""Write a connectome, neuron by neuron, to a file for graph programs, and read it back."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.interchange.formats import FROM_BYTES, NESTED, TO_BYTES
from circuitsim.export.interchange.graph_file import (
    Repeated,
    by_projection,
    check_repeated,
    check_suffix,
    content_of,
    plain,
    reading,
    rename_on_edges,
    whole,
)
from circuitsim.files import write_atomically

SUFFIXES = (".graphml", ".json", ".csv")
LARGEST = sys.float_info.max
# names by which the formats know neurons and synapses
OF_GRAPHS = ("id", "node_default", "edge_default")
OF_NODES = ("id", "index")
OF_EDGES = ("id", "key", "source", "target", "projection")
ADVICE = {np.ndarray: "array.tolist()", set: "sorted(values)", frozenset: "sorted(values)", tuple: "list(values)"}
SUM = 'refused unless repeated="sum", which adds their weights'


def write_connectome(connectome: nx.MultiDiGraph, path: str | os.PathLike[str]) -> None:
    """Write neurons and weighted synapses to a file.

    Attributes of the graph, its nodes and its edges may be numbers, text, None, lists, and dicts with text as keys. The
    names by which files know neurons and synapses (``id``, ``index``, ``key``, ``source``, ``target``, ``projection``),
    and names that end with ``_json``, cannot be used for them.

    Args:
        connectome: a graph as returned by `Circuit.connectome`, possibly with synapses removed: nodes are
            ``(population, index)``, edges are keyed by projection and have a `weight` (dimensionless).
        path: a file name that ends with .graphml (nodes are named ``up1[3]``, edges are numbered and have the attribute
            `projection`), .json (node-link, for networkx) or .csv (a row per synapse with the columns projection,
            pre_population, pre, post_population, post, weight and compartment; neurons without synapses, and attributes
            of the graph and its nodes, are lost). Missing folders are created.
    Raises:
        ParameterError: the suffix is unknown, the graph has another form, or an attribute cannot be written; the
            message names the node or edge.
        ArchiveError: the file cannot be written. A file that existed before is left unchanged.
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
    suffix = checked.suffix.lower()
    try:
        graph = _checked(connectome)
        _make_plain(graph)
        content = TO_BYTES[suffix](_named(graph) if suffix == ".graphml" else graph)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"write_connectome needs a graph such as circuit.connectome() returns: {error}") from None
    write_atomically(checked, content)


def read_connectome(path: str | os.PathLike[str], *, repeated: Repeated = None) -> nx.MultiDiGraph:
    """Read a file that `write_connectome` wrote, or that a graph program has saved since.

    Args:
        path: a file name that ends with .graphml, .json or .csv.
        repeated: "sum" adds the weights of synapses that a projection has twice between two neurons; by default they
            are refused.
    Returns:
        A graph whose nodes are ``(population, index)``; its edges are keyed by projection and have a `weight`.
    Raises:
        ParameterError: the suffix is unknown, or `repeated` has another value.
        ArchiveError: the file does not exist or holds no connectome; the message names the file and the value.
    Example:
        >>> import circuitsim as cs, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "edges.csv"
        >>> _ = path.write_text("projection,pre_population,pre,post_population,post,weight\\nW,x,0,y,1,0.25\\n")
        >>> cs.read_connectome(path).edges[("x", 0), ("y", 1), "W"]
        {'weight': 0.25}
    """
    checked = check_suffix(path, SUFFIXES)
    check_repeated("read_connectome", repeated)
    content = content_of(checked)
    with reading(checked, "connectome"):
        graph = FROM_BYTES[checked.suffix.lower()](content)
        rename_on_edges(graph, {"target": "compartment"})
        if checked.suffix.lower() == ".graphml":
            graph = _neurons(graph)
        connectome = by_projection(graph, add="weight" if repeated else None, advice=f": {SUM}")
        return _checked(connectome)


def _named(connectome: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """The graph with nodes as strings, as GraphML requires, and population and index as their attributes."""
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


def _checked(connectome: Any) -> nx.MultiDiGraph:
    """A copy of a connectome whose indices and weights are plain numbers. A ValueError says why a graph is none."""
    if not isinstance(connectome, nx.MultiDiGraph):
        raise ValueError(f"it must be a directed multigraph (got {type(connectome).__name__})")
    copy = nx.MultiDiGraph()
    copy.graph.update(connectome.graph)
    names = {}
    for node, attributes in connectome.nodes(data=True):
        names[node] = _neuron(node)
        if attributes.get("population", names[node][0]) != names[node][0]:
            raise ValueError(f"node {node!r}: attribute 'population' is {attributes['population']!r}")
        copy.add_nodes_from([(names[node], attributes)])
    for pre, post, key, attributes in connectome.edges(keys=True, data=True):
        where = f"edge {key!r} from {pre!r} to {post!r}"
        if not isinstance(key, str):
            raise ValueError(f"{where}: its key must be the name of a projection")
        weight = plain(attributes.get("weight"))
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= LARGEST:
            raise ValueError(f"{where}: weight must be a finite number (got {weight!r})")
        if not isinstance(attributes.get("compartment", "soma"), str) or attributes.get("compartment") == "":
            raise ValueError(f"{where}: compartment must be a name (got {attributes['compartment']!r})")
        copy.add_edges_from([(names[pre], names[post], key, {**attributes, "weight": float(weight)})])
    return copy


def _neuron(node: Any) -> tuple[str, int]:
    if isinstance(node, tuple) and len(node) == 2 and isinstance(node[0], str):
        index = whole(node[1])
        if index is not None and index >= 0:
            return node[0], index
    raise ValueError(f"node {node!r} is not (population, index)")


def _make_plain(graph: nx.MultiDiGraph) -> None:
    """Turn NumPy numbers into plain ones, in place, and refuse names and values that would be lost or changed."""
    graph.graph.update(_plain_attributes("the graph", graph.graph, OF_GRAPHS))
    for node, attributes in graph.nodes(data=True):
        attributes.update(_plain_attributes(f"node {node!r}", attributes, OF_NODES))
    for pre, post, key, attributes in graph.edges(keys=True, data=True):
        attributes.update(_plain_attributes(f"edge {key!r} from {pre!r} to {post!r}", attributes, OF_EDGES))


def _plain_attributes(owner: str, attributes: Mapping[Any, Any], reserved: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for name, value in attributes.items():
        where = f"{owner}: attribute {name!r}"
        if not isinstance(name, str) or not name.isprintable() or name != name.strip() or not name:
            raise ValueError(f"{where}: the name must be printable text")
        if name in reserved or name.endswith(NESTED):
            raise ValueError(f"{where}: this name is reserved for the file's own use; rename it")
        found[name] = _plain(where, value)
    return found


def _plain(where: str, value: Any) -> Any:
    value = plain(value)
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list):
        return [_plain(where, item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(where, item) for key, item in value.items()}
    advice = next((f"; write {text}" for kind, text in ADVICE.items() if isinstance(value, kind)), "")
    raise ValueError(
        f"{where} is {value!r} ({type(value).__name__}); only finite numbers of at most 64 bits, text, None, lists, "
        f"and dicts with text as keys can be written{advice}"
    )
