"""Write a motif to a file for graph programs, and read it back."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import networkx as nx

from circuitsim.errors import check_kind
from circuitsim.export.interchange.formats import FROM_BYTES, TO_BYTES
from circuitsim.export.interchange.graph_file import (
    by_projection,
    check_suffix,
    content_of,
    reading,
    rename_on_edges,
    whole,
)
from circuitsim.files import write_atomically
from circuitsim.motif import Motif
from circuitsim.motif.motif import WHOLE
from circuitsim.motif.population import Population
from circuitsim.motif.projection import OLD_NAMES, Projection
from circuitsim.motif.value import Value, plain, restore

SUFFIXES = (".graphml", ".json")


def write_motif(motif: Motif, path: str | os.PathLike[str]) -> None:
    """Write the declaration as a graph: populations are nodes, projections are edges keyed by name.

    Args:
        motif: a valid motif.
        path: a file name that ends with .graphml (for yEd, Gephi or Cytoscape; nested values such as a rule are JSON
            text in attributes whose names end with ``_json``, and the attributes `population` and `projection` keep
            the names when such a program renames nodes and edges) or .json (node-link, for networkx and D3, whose
            examples call the edges ``links``). Missing folders are created.
    Raises:
        MotifError: the motif has faults.
        ParameterError: the suffix is unknown.
        ArchiveError: the file cannot be written. A file that existed before is left unchanged.
    Example:
        >>> import circuitsim as cs, networkx as nx, tempfile, pathlib
        >>> motif = cs.Motif("pair")
        >>> x, y = motif.add(cs.Population("x", size=3), cs.Population("y", size=2))
        >>> W = motif.connect(x, y, name="W", rule="eta * post * pre", parameters={"eta": 0.1})
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pair.graphml"
        >>> cs.write_motif(motif, path)
        >>> list(nx.read_graphml(path, force_multigraph=True).edges(keys=True))
        [('x', 'y', 'W')]
        >>> cs.read_motif(path) == motif
        True
    """
    check_kind("write_motif", motif, Motif, "that of a circuit is circuit.motif")
    checked = check_suffix(path, SUFFIXES)
    motif.validate()
    declared = motif.graph
    graph = nx.MultiDiGraph(**_written(declared.graph))
    graph.add_nodes_from((name, _written(attributes)) for name, attributes in declared.nodes(data=True))
    graph.add_edges_from((pre, post, key, _written(a)) for pre, post, key, a in declared.edges(keys=True, data=True))
    suffix = checked.suffix.lower()
    if suffix == ".graphml":
        nx.set_node_attributes(graph, {name: name for name in graph}, "population")
    write_atomically(checked, TO_BYTES[suffix](graph))


def read_motif(path: str | os.PathLike[str]) -> Motif:
    """Read a motif that `write_motif` or `Motif.to_json` wrote, or that a graph program has saved since.

    No code in the file is run.

    Args:
        path: a file name that ends with .graphml or .json.
    Returns:
        A valid motif. Absent attributes take their defaults.
    Raises:
        ParameterError: the suffix is unknown.
        ArchiveError: the file does not exist or declares no valid motif; the message names the file and the value.
    Example:
        >>> import circuitsim as cs, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pair.json"
        >>> _ = path.write_text('''{"directed": true, "multigraph": true, "graph": {"name": "pair"},
        ...     "nodes": [{"id": "x", "size": 3}, {"id": "y", "size": 2}],
        ...     "edges": [{"source": "x", "target": "y", "key": "W"}]}''')
        >>> cs.read_motif(path)
        Motif('pair': 2 populations, 1 projections)
    """
    checked = check_suffix(path, SUFFIXES)
    content = content_of(checked)
    with reading(checked, "motif"):
        document = json.loads(content) if checked.suffix.lower() == ".json" else None
        if isinstance(document, dict) and "populations" in document:  # as `Motif.to_json` writes it
            motif = Motif.from_json(content.decode())
        else:
            motif = _of_graph(FROM_BYTES[checked.suffix.lower()](content))
        motif.validate()
    return motif


def _of_graph(graph: Any) -> Motif:
    graph = by_projection(graph)
    names = {node: attributes.pop("population", node) for node, attributes in graph.nodes(data=True)}
    if len(set(names.values())) < len(names):
        raise ValueError("two nodes are the same population")
    graph = nx.relabel_nodes(graph, names)
    for _, attributes in graph.nodes(data=True):
        _restore(attributes, "population", Population)
    rename_on_edges(graph, OLD_NAMES)
    for _, _, name, attributes in graph.edges(keys=True, data=True):
        _restore(attributes, f"projection {name!r}", Projection)
    _restore(graph.graph, "graph")
    for kind in WHOLE:
        if not isinstance(graph.graph.get(kind, []), list):
            raise ValueError(f"{kind} must be a list (got {graph.graph[kind]!r})")
    return Motif.from_networkx(graph)


def _written(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes as plain data, without None and empty collections, which are the defaults of their fields."""
    written = {name: plain(value) for name, value in attributes.items()}
    return {name: value for name, value in written.items() if value is not None and value not in ({}, [])}


def _restore(attributes: dict[str, Any], where: str, kind: type[Value] | None = None) -> None:
    for name, value in attributes.items():
        attributes[name] = [restore(v, where) for v in value] if isinstance(value, list) else restore(value, where)
    for field in dataclasses.fields(kind) if kind is not None else ():
        if field.type == "int" and (number := whole(attributes.get(field.name))) is not None:
            attributes[field.name] = number  # igraph writes all numbers as floats
