"""Node-link JSON, as networkx and D3 read it."""

from __future__ import annotations

import json

import networkx as nx

COMPARTMENT = "compartment"  # what an edge's `target` (soma or dendrite) is called there: "target" is its end node


def to_bytes(graph: nx.MultiDiGraph) -> bytes:
    """The file's content; attributes are plain data (numbers, strings, lists, dicts)."""
    renamed = graph.copy()
    _rename(renamed, "target", COMPARTMENT)
    return json.dumps(nx.node_link_data(renamed, edges="edges"), indent=1).encode()


def from_bytes(content: bytes) -> nx.MultiDiGraph:
    """The graph that `to_bytes` wrote. A node that is a list in the file is a tuple in the graph."""
    document = json.loads(content)
    if not isinstance(document, dict) or not {"nodes", "edges"} <= set(document):
        found = sorted(document) if isinstance(document, dict) else type(document).__name__
        raise ValueError(f"node-link JSON must hold an object with nodes and edges (got {found})")
    graph = nx.node_link_graph(document, edges="edges")
    _rename(graph, COMPARTMENT, "target")
    return graph


def _rename(graph: nx.Graph, old: str, new: str) -> None:
    for *_, attributes in graph.edges(data=True):
        if old in attributes:
            attributes[new] = attributes.pop(old)
