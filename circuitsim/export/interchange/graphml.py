"""GraphML: a graph whose attributes are numbers and strings; what is nested goes in as JSON text."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import networkx as nx

NESTED = "_json"  # ends the name of an attribute whose text is JSON
DEFAULTS = ("node_default", "edge_default")  # networkx adds these to every graph it reads


def to_bytes(graph: nx.MultiDiGraph) -> bytes:
    """The file's content. Nodes are strings; attributes are plain data (numbers, strings, lists, dicts)."""
    flat = nx.MultiDiGraph(**_flat(graph.graph))
    flat.add_nodes_from((node, _flat(attributes)) for node, attributes in graph.nodes(data=True))
    flat.add_edges_from((pre, post, key, _flat(a)) for pre, post, key, a in graph.edges(keys=True, data=True))
    buffer = BytesIO()
    nx.write_graphml(flat, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes) -> nx.MultiDiGraph:
    """The graph that `to_bytes` wrote, or another program; edges are keyed by their id."""
    graph = nx.read_graphml(BytesIO(content), node_type=str, edge_key_type=str, force_multigraph=True)
    for name in DEFAULTS:
        graph.graph.pop(name, None)
    for attributes in _all_attributes(graph):
        nested = {name: attributes.pop(name) for name in list(attributes) if name.endswith(NESTED)}
        attributes.update({name.removesuffix(NESTED): json.loads(text) for name, text in nested.items()})
    for _, _, attributes in graph.edges(data=True):
        attributes.pop("id", None)  # it is the key
    return graph


def _flat(attributes: dict[str, Any]) -> dict[str, Any]:
    """What XML cannot hold as it is (lists, dicts, control characters) becomes JSON text."""
    scalar = {
        name: isinstance(v, int | float) or (isinstance(v, str) and _is_text(v)) for name, v in attributes.items()
    }
    return {
        name if scalar[name] else name + NESTED: v if scalar[name] else json.dumps(v) for name, v in attributes.items()
    }


def _is_text(value: str) -> bool:
    return value.isprintable() and value == value.strip()


def _all_attributes(graph: nx.MultiDiGraph) -> list[dict[str, Any]]:
    nodes = [attributes for _, attributes in graph.nodes(data=True)]
    return [graph.graph, *nodes, *(attributes for _, _, attributes in graph.edges(data=True))]
