"""What a graph's attributes may be called and hold, so that every format gives them back as they were."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from circuitsim.export.interchange.graphml import NESTED

# names by which the formats know neurons and synapses
OF_GRAPHS = ("id", "node_default", "edge_default")
OF_NODES = ("id", "index")
OF_EDGES = ("id", "key", "source", "target", "projection")
ADVICE = {np.ndarray: "array.tolist()", set: "sorted(values)", frozenset: "sorted(values)", tuple: "list(values)"}


def check(graph: nx.MultiDiGraph) -> None:
    """Turn NumPy numbers into plain ones, in place, and refuse what would be lost or changed.

    Raises:
        ValueError: a name is reserved or no text, or a value is not plain; the message names the node or edge.
    """
    graph.graph.update(_checked("the graph", graph.graph, OF_GRAPHS))
    for node, attributes in graph.nodes(data=True):
        attributes.update(_checked(f"node {node!r}", attributes, OF_NODES))
    for pre, post, key, attributes in graph.edges(keys=True, data=True):
        attributes.update(_checked(f"edge {key!r} from {pre!r} to {post!r}", attributes, OF_EDGES))


def plain(value: Any) -> Any:
    """Turn a NumPy number into a plain one, which JSON can hold."""
    return value.item() if isinstance(value, np.generic) else value


def _checked(owner: str, attributes: Mapping[Any, Any], reserved: tuple[str, ...]) -> dict[str, Any]:
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
