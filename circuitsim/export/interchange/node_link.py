"""Node-link JSON, as networkx and D3 read it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import networkx as nx


def to_bytes(graph: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose attributes are plain data (numbers, strings, lists, dicts)."""
    return json.dumps(nx.node_link_data(graph, edges="edges"), indent=1).encode()


def from_bytes(content: bytes) -> nx.MultiDiGraph:
    """Decode a graph whose edges are numbered and have the attribute `projection`: their key, or what they call it.

    The list of edges may be called ``links``, as in D3 and in earlier versions of networkx. A graph is directed unless
    it says otherwise. A node that is a list in the file is a tuple in the graph.
    """
    document = json.loads(content)
    found = sorted(document) if isinstance(document, dict) else type(document).__name__
    lists = [name for name in ("edges", "links") if isinstance(document, dict) and name in document]
    if len(lists) != 1 or "nodes" not in document:
        raise ValueError(f"node-link JSON must hold an object with nodes and edges, or links (got {found})")
    edges = document.pop(lists[0])
    for name, entries in (("nodes", document["nodes"]), (lists[0], edges)):
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError(f"{name} must be a list of objects")
    if nameless := [node for node in document["nodes"] if "id" not in node]:
        raise ValueError(f"a node has no id (it has: {', '.join(nameless[0]) or 'nothing'})")
    repeated = [node for node, n in Counter(json.dumps(node["id"]) for node in document["nodes"]).items() if n > 1]
    if repeated:
        raise ValueError(f"node {repeated[0]} is there twice")
    declared = set(nx.node_link_graph({**document, "edges": []}, edges="edges"))
    numbered = [{"projection": edge.get("key"), **edge, "key": k} for k, edge in enumerate(edges)]
    graph = nx.node_link_graph({**document, "edges": numbered}, directed=True, multigraph=True, edges="edges")
    _check_ends(graph, declared)
    return graph


def _check_ends(graph: nx.MultiDiGraph, declared: set[Any]) -> None:
    for node in graph:
        if node not in declared:
            raise ValueError(f"an edge begins or ends at {node!r}, which is not among the nodes")
