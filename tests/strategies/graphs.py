"""Graphs as other people make them: networkx's own, of every class, with odd names, keys and attributes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import networkx as nx
import numpy as np

GENERATORS: dict[str, Callable[[int], nx.Graph]] = {
    "random": lambda seed: nx.gnp_random_graph(7, 0.3, seed=seed, directed=True),
    "scale-free": lambda seed: nx.scale_free_graph(9, seed=seed),  # has parallel edges and self-loops
    "out-degree": lambda seed: nx.random_k_out_graph(6, 2, 1.0, seed=seed),
    "growing": lambda seed: nx.gn_graph(8, seed=seed),
    "complete": lambda seed: nx.complete_graph(4, create_using=nx.DiGraph),
    "cycle": lambda seed: nx.cycle_graph(3, create_using=nx.MultiDiGraph),
    "grid": lambda seed: nx.grid_2d_graph(2, 3),  # nodes are pairs of numbers
    "karate": lambda seed: nx.karate_club_graph(),
    "families": lambda seed: nx.florentine_families_graph(),
    "women": lambda seed: nx.davis_southern_women_graph(),
    "petersen": lambda seed: nx.petersen_graph(),
    "nothing": lambda seed: nx.MultiDiGraph(),
    "one": lambda seed: nx.MultiDiGraph([(0, 0)]),
}
KINDS = [nx.MultiDiGraph, nx.MultiDiGraph, nx.DiGraph, nx.MultiGraph, nx.Graph]
TEXTS = [
    "W",
    "x",
    "µ-cell 5-HT",
    "ünïcode ☃",
    " a ",
    "",
    "two\nlines",
    "bell \x07",
    "\ud800",
    "a\x00",
    '<&">',
    "a,b",
    "'",
    "\r",
    "1",
]
NAMES = ["weight", "population", "index", "compartment", "projection", "key", "id", "source", "target", "name", "size",
         "label", "note", "x_json", "_json", "pos", "rule", "init", "node_default", "objectives", *TEXTS, 5, None,
         (1, 2)]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, 3, -1, 2**53 + 1, 2**70, 10**400, 0.5, 3.0, -0.0, 1e-320, float("nan"), float("inf"), 1j, b"a",
    *TEXTS, [], [1, "a"], {}, {"a": [None]}, {1: 2}, (1, 2), {1}, np.float32(0.1), np.int64(4), np.bool_(True),
    np.ones(3), np.ones(1), np.nan, datetime.datetime(2026, 1, 1), np.datetime64("2026"), object, {"type": "Rule"},
    [[[]]], "soma",
]  # fmt: skip
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
odd = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | PLAIN, max_size=3)
plain = st.dictionaries(
    st.sampled_from(["note", "label", "größe", "a b", "pos", "compartment_", "name"]), PLAIN, max_size=3
)


@st.composite
def graphs(draw: Any) -> nx.Graph:
    """Any graph: as its generator made it, close to a connectome, or close to a motif; all with odd attributes."""
    made = draw(st.sampled_from(KINDS))(GENERATORS[draw(st.sampled_from(sorted(GENERATORS)))](draw(st.integers(0, 9))))
    like = draw(st.sampled_from(["anything", "connectome", "connectome", "motif"]))
    if like == "connectome":
        made = _like_a_connectome(draw, made)
    elif like == "motif":
        made = _keyed(made, {node: f"p{k}" for k, node in enumerate(made)}, lambda k: f"c{k}")
        nx.set_node_attributes(made, 2, "size")
    elif len(made):
        name = draw(st.sampled_from([0, *TEXTS, 1.5, (1,), ("x", 0, 1), frozenset([1])]))
        made = nx.relabel_nodes(made, {next(iter(made)): name})
    attributes = plain if like == "connectome" and draw(st.integers(0, 3)) else odd
    made.graph.update(draw(attributes))
    for _, owner in list(made.nodes(data=True))[: draw(st.integers(0, 2))]:
        owner.update(draw(attributes))
    for *_, owner in list(made.edges(data=True))[: draw(st.integers(0, 2))]:
        owner.update(draw(attributes))
    return made


def _like_a_connectome(draw: Any, graph: nx.Graph) -> nx.MultiDiGraph:
    populations = draw(st.lists(st.sampled_from(TEXTS) | st.text(max_size=4), min_size=1, max_size=3))
    names = {node: (populations[k % len(populations)], k) for k, node in enumerate(graph)}
    if names and draw(st.integers(0, 9)) == 0:
        last = next(reversed(names))
        names[last] = (names[last][0], draw(st.sampled_from([-1, 1.0, 1.5, True, "0", np.int64(99), 2**70])))
    keys = draw(st.lists(st.sampled_from(TEXTS) | st.text(max_size=4), min_size=1, max_size=2))
    keys += [3] if draw(st.integers(0, 9)) == 0 else []
    made = _keyed(graph, names, lambda k: keys[k % len(keys)])
    weights = draw(st.lists(st.floats(-1e308, 1e308) | st.integers(-5, 5), min_size=1, max_size=4))
    for k, (*_, attributes) in enumerate(made.edges(data=True)):
        attributes["weight"] = weights[k % len(weights)]
    return made


def _keyed(graph: nx.Graph, names: dict[Any, Any], key: Callable[[int], Any]) -> nx.MultiDiGraph:
    made = nx.MultiDiGraph()
    made.add_nodes_from(names.values())
    made.add_edges_from((names[a], names[b], key(k), {}) for k, (a, b, *_) in enumerate(graph.edges))
    return made
