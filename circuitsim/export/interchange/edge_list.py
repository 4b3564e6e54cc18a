"""An edge list: CSV with one row per synapse."""

from __future__ import annotations

from io import BytesIO

import networkx as nx
import pandas as pd

COLUMNS = ("projection", "pre_population", "pre", "post_population", "post", "weight", "target")


def to_bytes(connectome: nx.MultiDiGraph) -> bytes:
    """The file's content; nodes are ``(population, index)``, edges are keyed by projection."""
    rows = [
        (key, *pre, *post, attributes["weight"], attributes.get("target", ""))
        for pre, post, key, attributes in connectome.edges(keys=True, data=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False).encode()


def from_bytes(content: bytes) -> nx.MultiDiGraph:
    """The synapses of the list and the neurons that have any. Column `target` may be absent."""
    text = dict.fromkeys(("projection", "pre_population", "post_population", "target"), str)
    exact = {"weight": float}  # to the last bit, as Python reads numbers
    table = pd.read_csv(BytesIO(content), keep_default_na=False, dtype=text, converters=exact)
    if missing := [name for name in COLUMNS[:-1] if name not in table]:
        raise ValueError(f"column {missing[0]!r} is missing (there are: {', '.join(map(str, table))})")
    for name in ("pre", "post"):
        if table[name].dtype.kind not in "iu" and len(table):
            raise ValueError(f"column {name!r} must hold indices of neurons (got {table[name].iloc[0]!r})")
    connectome = nx.MultiDiGraph()
    for row in table.to_dict("records"):
        ends = (row["pre_population"], row["pre"]), (row["post_population"], row["post"])
        for node in ends:
            connectome.add_node(node, population=node[0])
        attributes = {"target": row["target"]} if row.get("target") else {}
        connectome.add_edge(*ends, key=row["projection"], weight=row["weight"], **attributes)
    return connectome
