"""A motif in a file that graph programs read, and back."""

from __future__ import annotations

import json
import os
from typing import Any

import networkx as nx

from circuitsim.export.interchange.graph_file import FROM_BYTES, TO_BYTES, check_suffix, content_of, reading
from circuitsim.files import write_atomically
from circuitsim.motif import Motif
from circuitsim.motif.graph import WHOLE
from circuitsim.motif.value import plain, restore

SUFFIXES = (".graphml", ".json")


def write_motif(motif: Motif, path: str | os.PathLike[str]) -> None:
    """Write the declaration as a graph: populations are nodes, projections are edges keyed by name.

    Args:
        motif: sound.
        path: ends with .graphml (yEd, Gephi, Cytoscape; what is nested, such as a rule, is JSON text in attributes
            whose name ends with ``_json``) or .json (node-link, for networkx and D3; there `target` is called
            ``compartment``). Folders are made as needed.
    Raises:
        MotifError: the motif has faults.
        ParameterError: another suffix.
        ArchiveError: the file cannot be written; one that was there before is untouched.
    Example:
        >>> import circuitsim as cs, networkx as nx, tempfile, pathlib
        >>> motif = cs.Motif("pair")
        >>> motif.add(cs.Population("x", size=3), cs.Population("y", size=2))
        >>> motif.connect("x", "y", name="W", rule=cs.Rule("eta * post * pre", eta=0.1))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pair.graphml"
        >>> cs.write_motif(motif, path)
        >>> list(nx.read_graphml(path, force_multigraph=True).edges(keys=True))
        [('x', 'y', 'W')]
        >>> cs.read_motif(path) == motif
        True
    """
    checked = check_suffix(path, SUFFIXES)
    motif.validate()
    declared = motif.graph
    graph = nx.MultiDiGraph(**_written(declared.graph))
    graph.add_nodes_from((name, _written(attributes)) for name, attributes in declared.nodes(data=True))
    graph.add_edges_from((pre, post, key, _written(a)) for pre, post, key, a in declared.edges(keys=True, data=True))
    write_atomically(checked, TO_BYTES[checked.suffix.lower()](graph))


def read_motif(path: str | os.PathLike[str]) -> Motif:
    """Read what `write_motif` or `Motif.to_json` wrote; nothing in it is run.

    Args:
        path: ends with .graphml or .json.
    Returns:
        A sound motif; attributes that are absent take their defaults.
    Raises:
        ParameterError: another suffix.
        ArchiveError: there is no such file, or it declares no sound motif; the message names file and value.
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
        motif = _declared(content) if checked.suffix.lower() == ".json" else None
        motif = motif or _of_graph(FROM_BYTES[checked.suffix.lower()](content))
        motif.validate()
    return motif


def _declared(content: bytes) -> Motif | None:
    """The motif, if the JSON is that of `Motif.to_json`."""
    document = json.loads(content)
    is_declaration = isinstance(document, dict) and "populations" in document
    return Motif.from_json(content.decode()) if is_declaration else None


def _of_graph(graph: Any) -> Motif:
    if not isinstance(graph, nx.MultiDiGraph):
        raise ValueError(f"it must be a directed multigraph (got a {type(graph).__name__})")
    for _, attributes in graph.nodes(data=True):
        _restore(attributes, "population")
    for _, _, name, attributes in graph.edges(keys=True, data=True):
        _restore(attributes, f"projection {name!r}")
    _restore(graph.graph, "graph")
    for kind in WHOLE:
        if not isinstance(graph.graph.get(kind, []), list):
            raise ValueError(f"{kind} must be a list (got {graph.graph[kind]!r})")
    return Motif.from_networkx(graph)


def _written(attributes: dict[str, Any]) -> dict[str, Any]:
    """As plain data, without what is not declared: None and empty collections are the defaults of their fields."""
    return {name: plain(value) for name, value in attributes.items() if value is not None and value not in ({}, ())}


def _restore(attributes: dict[str, Any], where: str) -> None:
    for name, value in attributes.items():
        attributes[name] = [restore(v, where) for v in value] if isinstance(value, list) else restore(value, where)
