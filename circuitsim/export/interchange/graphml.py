"""GraphML files, whose attributes are numbers and strings. Nested values are stored as JSON text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import networkx as nx

NESTED = "_json"  # suffix of the names of attributes that hold JSON text
DEFAULTS = ("node_default", "edge_default")  # networkx adds these to every graph it reads


def to_bytes(graph: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose nodes are strings and whose attributes are plain data (numbers, text, None, lists, dicts).

    The ids of nodes are their names, or ``n0``, ``n1``, ... if XML cannot hold one of these. The ids of edges are their
    keys, or ``e0``, ``e1``, ... if XML cannot hold one of these or edges share one, since programs such as Gephi keep
    only one of the edges with one id. The attribute `projection` of an edge is its key.
    """
    keys = [key for _, _, key in graph.edges(keys=True)]
    may_be_ids = len(set(keys)) == len(keys) and all(map(_is_text, keys))
    nodes = _Flat(attributes for _, attributes in graph.nodes(data=True))
    edges = _Flat({**attributes, "projection": key} for _, _, key, attributes in graph.edges(keys=True, data=True))
    ids = {node: node if all(map(_is_text, graph)) else f"n{k}" for k, node in enumerate(graph)}
    flat = nx.MultiDiGraph()
    flat.graph.update(_Flat([graph.graph]).all[0])
    flat.add_nodes_from(zip(ids.values(), nodes.all, strict=True))
    flat.add_edges_from(
        (ids[pre], ids[post], key if may_be_ids else f"e{k}", edges.all[k])
        for k, (pre, post, key) in enumerate(graph.edges(keys=True))
    )
    buffer = BytesIO()
    nx.write_graphml(flat, buffer)
    return buffer.getvalue()


def from_bytes(content: bytes) -> nx.MultiDiGraph:
    """Decode a graph that `to_bytes` or another program wrote.

    Its edges are numbered. Their attribute `projection` is that of the file, or else their id, which named the
    projection in files of earlier versions.
    """
    root = ElementTree.fromstring(content)
    nodes = Counter(node.get("id") for node in root.iterfind(".//{*}node"))
    if repeated := [node for node, n in nodes.items() if n > 1]:
        raise ValueError(f"node {repeated[0]!r} is there twice")
    ids = []
    for k, edge in enumerate(root.iterfind(".//{*}edge")):
        if missing := {edge.get("source"), edge.get("target")} - set(nodes):
            raise ValueError(f"an edge begins or ends at {missing.pop()!r}, which is not among the nodes")
        ids.append(edge.get("id"))
        edge.set("id", str(k))
    graph = nx.read_graphml(BytesIO(ElementTree.tostring(root)), force_multigraph=True)
    defaults = {name: graph.graph.pop(name, {}) for name in DEFAULTS}
    _unfold(graph.graph, {})
    for _, attributes in graph.nodes(data=True):
        _unfold(attributes, defaults["node_default"])
    for _, _, k, attributes in graph.edges(keys=True, data=True):
        _unfold(attributes, defaults["edge_default"])
        attributes.setdefault("projection", ids[k] or attributes.pop("key", None))
    return graph


class _Flat:
    """Attributes of nodes or edges in a form that XML can hold: one type per name, and everything else as JSON text.

    Args:
        owners: the attributes of each node or edge. `all` holds what is written for each.
    """

    def __init__(self, owners: Iterable[dict[str, Any]]) -> None:
        before = list(owners)
        kinds: dict[str, set[type]] = {}
        for attributes in before:
            for name, value in attributes.items():
                kinds.setdefault(name, set()).add(_kind(value))
        self.all = [dict(_written(name, v, kinds[name]) for name, v in attributes.items()) for attributes in before]


def _written(name: str, value: Any, kinds: set[type]) -> tuple[str, Any]:
    plain = kinds - {object}
    if _kind(value) is not object and len(plain) == 1:
        return name, value
    if _kind(value) is not object and plain == {int, float}:
        return name, float(value)
    return name + NESTED, json.dumps(value)


def _kind(value: Any) -> type:
    """The type under which a value can be written, or `object` if only JSON can hold it."""
    if isinstance(value, str):
        return str if _is_text(value) else object
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return object  # some programs read every number as a float
    return type(value) if isinstance(value, bool | int | float) else object


def _is_text(value: Any) -> bool:
    """Whether XML gives the text back as it is. Other programs write an empty text where an attribute is missing."""
    return isinstance(value, str) and value.isprintable() and value == value.strip() and value != ""


def _unfold(attributes: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Restore what `_Flat` has made of the attributes.

    igraph adds the attribute `id`, and writes an empty text where a node or an edge has no such attribute.
    """
    found = {name: value for name, value in (defaults | attributes).items() if value != "" and name != "id"}
    nested = {name: found.pop(name) for name in list(found) if name.endswith(NESTED)}
    attributes.clear()
    attributes.update(found | {name.removesuffix(NESTED): json.loads(text) for name, text in nested.items()})
