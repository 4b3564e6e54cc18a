"""Edge lists: CSV files with one row per synapse."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

import networkx as nx
import pandas as pd

COLUMNS = ("projection", "pre_population", "pre", "post_population", "post", "weight", "compartment")


def to_bytes(connectome: nx.MultiDiGraph) -> bytes:
    """Encode a graph whose nodes are ``(population, index)`` and whose edges are keyed by projection.

    Raises:
        ValueError: an edge has another attribute than weight and compartment, or a name cannot be written.
    """
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


def from_bytes(content: bytes) -> nx.MultiDiGraph:
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
