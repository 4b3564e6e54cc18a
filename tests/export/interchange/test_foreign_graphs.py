"""Graphs and files that others made: taken as they are, or refused by an error of the package."""

from __future__ import annotations

import contextlib
import json
import math
import warnings
from collections import Counter

import networkx as nx
import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.analysis import graph_census
from tests.strategies.graphs import graphs

QUICK, MANY = 60, 20_000


def check_written(graph: nx.Graph, folder) -> None:
    """What is written is read back with every node, edge and attribute."""
    for suffix in (".graphml", ".json", ".csv"):
        path = folder / f"graph{suffix}"
        path.unlink(missing_ok=True)
        try:
            cs.write_connectome(graph, path)
        except cs.ParameterError as error:
            assert str(error) and not path.exists()
            continue
        read = cs.read_connectome(path)
        assert Counter(read.edges(keys=True)) == Counter(graph.edges(keys=True))
        assert dict(read.edges) == dict(graph.edges)
        if suffix == ".csv":
            assert set(read) == {node for edge in graph.edges for node in edge[:2]}
            continue
        assert read.graph == graph.graph and set(read) == set(graph)
        for node, attributes in graph.nodes(data=True):
            added = {} if suffix == ".json" else {"population": node[0]}  # GraphML has no other place for it
            assert read.nodes[node] == {**added, **attributes}


def check_census(graph: nx.Graph, _) -> None:
    for projection in (None, "weight"):
        try:
            found = graph_census(graph, projection=projection, n_random=2)
            assert found.observed >= 0 and all(map(math.isfinite, found.random))
        except cs.AnalysisError as error:
            assert str(error)


def check_motif(graph: nx.Graph, _) -> None:
    try:
        cs.Motif.from_networkx(graph).validate()
    except cs.CircuitError as error:
        assert str(error)


def check_read(graph: nx.Graph, folder) -> None:
    """Files that networkx writes hold a connectome or a motif, or are refused by name."""
    for suffix, write in (
        (".graphml", lambda path: nx.write_graphml(graph, path)),
        (".json", lambda path: path.write_text(json.dumps(nx.node_link_data(graph, edges="links")))),
        (".csv", lambda path: nx.to_pandas_edgelist(graph).to_csv(path)),
    ):
        path = folder / f"theirs{suffix}"
        path.unlink(missing_ok=True)
        with contextlib.suppress(Exception):  # networkx refuses many of them itself
            write(path)
        for read in (
            (cs.read_connectome, cs.read_motif) if suffix != ".csv" and path.exists() else (cs.read_connectome,)
        ):
            try:
                found = read(path)
            except cs.ArchiveError as error:
                assert str(path) in str(error)
                continue
            if read is cs.read_connectome:
                assert all(math.isfinite(weight) for *_, weight in found.edges(data="weight"))


@pytest.mark.parametrize("check", [check_written, check_census, check_motif, check_read], ids=lambda c: c.__name__)
@pytest.mark.parametrize("n", [QUICK, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(6 * 3600)])])
def test_any_graph_is_taken_as_it_is_or_refused(check, n, tmp_path):
    @settings(max_examples=n)
    @given(graph=graphs())
    def run(graph):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(graph, tmp_path)

    run()
