"""The formats of graph files, GraphML, node-link JSON and edge lists (CSV), by suffix.

Readers return graphs whose edges are numbered and have the attribute `projection`.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pandas as pd

NESTED = "_json"  # suffix of the names of attributes that hold JSON text in GraphML
DEFAULTS = ("node_default", "edge_default")  # networkx adds these to every graph that it reads from GraphML
COLUMNS = ("projection", "pre_population", "pre", "post_population", "post", "weight", "compartment")  # of edge lists


def to_graphml(graph: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose nodes are strings and whose attributes are plain data (numbers, text, None, lists, dicts).
    Nested values are stored as JSON text.

    The ids of nodes are their names, or ``n0``, ``n1``, ... if XML cannot hold one of these. The ids of edges are their
    keys, or ``e0``, ``e1``, ... if XML cannot hold one of these or edges share one, since programs such as Gephi keep
    only one of the edges with one id. The attribute `projection` of an edge is its key.
    """
    keys = [key for _, _, key in graph.edges(keys=True)]
    may_be_ids, are_names = len(set(keys)) == len(keys) and all(map(_is_text, keys)), all(map(_is_text, graph))
    nodes = _flat([attributes for _, attributes in graph.nodes(data=True)])
    edges = _flat([{**attributes, "projection": key} for _, _, key, attributes in graph.edges(keys=True, data=True)])
    ids = {node: node if are_names else f"n{k}" for k, node in enumerate(graph)}
    flat = nx.MultiDiGraph()
    flat.graph.update(_flat([graph.graph])[0])
    flat.add_nodes_from(zip(ids.values(), nodes, strict=True))
    flat.add_edges_from(
        (ids[pre], ids[post], key if may_be_ids else f"e{k}", edges[k])
        for k, (pre, post, key) in enumerate(graph.edges(keys=True))
    )
    buffer = BytesIO()
    nx.write_graphml(flat, buffer)
    return buffer.getvalue()


def from_graphml(content: bytes) -> nx.MultiDiGraph:
    """Decode a graph that `to_graphml` or another program wrote.

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


def _flat(owners: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attributes of nodes or edges in a form that XML can hold: one type per name, and all else as JSON text."""
    kinds: dict[str, set[type]] = {}
    for attributes in owners:
        for name, value in attributes.items():
            kinds.setdefault(name, set()).add(_kind(value))
    return [dict(_written(name, v, kinds[name] - {object}) for name, v in attributes.items()) for attributes in owners]


def _written(name: str, value: Any, plain: set[type]) -> tuple[str, Any]:
    kind = _kind(value)
    if kind is object or plain not in ({kind}, {int, float}):
        return name + NESTED, json.dumps(value)
    return name, value if plain == {kind} else float(value)


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
    """Restore what `_flat` has made of the attributes.

    igraph adds the attribute `id`, and writes an empty text where a node or an edge has no such attribute.
    """
    found = {name: value for name, value in (defaults | attributes).items() if value != "" and name != "id"}
    nested = {name: found.pop(name) for name in list(found) if name.endswith(NESTED)}
    attributes.clear()
    attributes.update(found | {name.removesuffix(NESTED): json.loads(text) for name, text in nested.items()})


def to_node_link(graph: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose attributes are plain data, as networkx and D3 read it."""
    return json.dumps(nx.node_link_data(graph, edges="edges"), indent=1).encode()


def from_node_link(content: bytes) -> nx.MultiDiGraph:
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
    counts = Counter(json.dumps(node["id"]) for node in document["nodes"])
    if repeated := [node for node, n in counts.items() if n > 1]:
        raise ValueError(f"node {repeated[0]} is there twice")
    declared = set(nx.node_link_graph({**document, "edges": []}, edges="edges"))
    numbered = [{"projection": edge.get("key"), **edge, "key": k} for k, edge in enumerate(edges)]
    graph = nx.node_link_graph({**document, "edges": numbered}, directed=True, multigraph=True, edges="edges")
    if unknown := [node for node in graph if node not in declared]:
        raise ValueError(f"an edge begins or ends at {unknown[0]!r}, which is not among the nodes")
    return graph


def to_edge_list(connectome: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose nodes are ``(population, index)`` and whose edges are keyed by projection and have no other
    attributes than weight and compartment."""
    rows = []
    for pre, post, key, attributes in connectome.edges(keys=True, data=True):
        if others := sorted(attributes.keys() - {"weight", "compartment"}):
            raise ValueError(
                f"edge {key!r} from {pre!r} to {post!r}: a .csv file has no place for attribute {others[0]!r}; write "
                "a .graphml or .json file, or delete the attribute"
            )
        rows.append((key, *pre, *post, attributes["weight"], attributes.get("compartment", "")))
        for name in (key, pre[0], post[0], rows[-1][-1]):
            if not name.isprintable():
                raise ValueError(f"edge {key!r} from {pre!r} to {post!r}: a .csv file cannot hold the name {name!r}")
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False).encode()


def from_edge_list(content: bytes) -> nx.MultiDiGraph:
    """Decode the synapses, and the neurons that have any.

    Edges are numbered and have the attribute `projection`. The column `compartment` may be absent; other columns become
    attributes of the edges, except where they are blank.
    """
    names = ("projection", "pre_population", "post_population", "compartment", "target")  # the last in older files
    _check_fields(content.decode())  # pandas would fill or shift the entries of such a row
    text = dict.fromkeys(names, str)
    exact = dict.fromkeys(("pre", "post", "weight"), str.strip)  # the parser of pandas is not exact to the last bit
    table = pd.read_csv(BytesIO(content), keep_default_na=False, dtype=text, converters=exact)
    if missing := [name for name in COLUMNS[:-1] if name not in table]:
        raise ValueError(f"column {missing[0]!r} is missing (there are: {', '.join(map(str, table))})")
    connectome = nx.MultiDiGraph()
    for k, row in enumerate(table.to_dict("records")):
        ends = [(row.pop(f"{end}_population"), _number(row, end, k)) for end in ("pre", "post")]
        for node in ends:
            connectome.add_node(node, population=node[0])
        row["weight"] = _number(row, "weight", k)
        kept = {str(name): value for name, value in row.items() if value != ""}
        connectome.add_edges_from([(*ends, k, {"projection": row["projection"]} | kept)])
    return connectome


def _check_fields(text: str) -> None:
    try:
        header, *rows = [row for row in csv.reader(StringIO(text, newline=None)) if row] or [[]]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    for k, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(f"row {k + 1} has {len(row)} entries, but there are {len(header)} columns")


def _number(row: dict[Any, Any], column: str, k: int) -> float:
    text = row.pop(column)
    try:
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    except ValueError:
        what = "a number" if column == "weight" else "an index of a neuron"
        raise ValueError(f"row {k + 1}: column {column!r} must hold {what} (got {text!r})") from None


TO_BYTES: dict[str, Callable[[nx.MultiDiGraph], bytes]] = {
    ".graphml": to_graphml, ".json": to_node_link, ".csv": to_edge_list,
}  # fmt: skip
FROM_BYTES: dict[str, Callable[[bytes], nx.MultiDiGraph]] = {
    ".graphml": from_graphml, ".json": from_node_link, ".csv": from_edge_list,
}  # fmt: skip
