"""The census counts what brute force counts, and random graphs keep every degree."""

import itertools

import networkx as nx
import numpy as np
import pytest

import circuitsim as cs
from circuitsim.analysis.census import (
    coherent_share,
    count_bifans,
    count_square,
    graph_census,
    shuffled,
    square_census,
)

SHAPES = {"W": (4, 5), "V": (4, 3), "Vt": (6, 5), "Wt": (6, 3)}  # a 5, b 4, c 3, d 6


def random_weights(seed, density=0.6):
    rng = np.random.default_rng(seed)
    return {k: rng.standard_normal(shape) * (rng.random(shape) < density) for k, shape in SHAPES.items()}


def quadruples(weights):
    """The two paths' products of every quadruple that has all four synapses."""
    W, V, Vt, Wt = (weights[k] for k in ("W", "V", "Vt", "Wt"))
    for a, b, c, d in itertools.product(range(5), range(4), range(3), range(6)):
        if W[b, a] and V[b, c] and Vt[d, a] and Wt[d, c]:
            yield W[b, a] * Vt[d, a], V[b, c] * Wt[d, c]


@pytest.mark.parametrize("seed", range(5))
def test_squares_and_their_signs_are_those_of_brute_force(seed):
    weights = random_weights(seed)
    pairs = list(quadruples(weights))
    assert len(pairs) > 5
    assert count_square(**{k: w != 0 for k, w in weights.items()}) == len(pairs)
    assert coherent_share(**weights) == pytest.approx(np.mean([p * q > 0 for p, q in pairs]), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_bifans_are_those_of_brute_force(seed):
    graph = nx.gnp_random_graph(9, 0.4, seed=seed, directed=True)
    n = 0
    for a, c in itertools.combinations(graph, 2):
        for b, d in itertools.combinations(graph, 2):
            n += all(graph.has_edge(*edge) for edge in ((a, b), (a, d), (c, b), (c, d)))
    assert n > 0 and graph_census(graph, n_random=2).observed == n
    adjacency = nx.to_numpy_array(graph).T > 0
    assert count_bifans(adjacency | np.eye(9, dtype=bool)) == n  # self-loops do not count


def test_shuffling_keeps_degrees_and_changes_the_rest():
    rng = np.random.default_rng(0)
    mask = rng.random((12, 17)) < rng.random((12, 1))
    found = shuffled(mask, rng)
    np.testing.assert_array_equal(found.sum(0), mask.sum(0))
    np.testing.assert_array_equal(found.sum(1), mask.sum(1))
    assert (found != mask).mean() > 0.1


def test_shuffling_without_loops_makes_none():
    rng = np.random.default_rng(1)
    mask = (rng.random((12, 12)) < 0.5) & ~np.eye(12, dtype=bool)
    found = shuffled(mask, rng, loops=False)
    np.testing.assert_array_equal(found.sum(0), mask.sum(0))
    np.testing.assert_array_equal(found.sum(1), mask.sum(1))
    assert not found.diagonal().any() and (found != mask).any()


def test_every_graph_of_the_same_degrees_is_drawn_alike_often():
    """All 3 x 3 permutation matrices, of which there are 6."""
    rng = np.random.default_rng(2)
    drawn = [tuple(shuffled(np.eye(3, dtype=bool), rng).argmax(1)) for _ in range(1200)]
    counts = [drawn.count(order) for order in itertools.permutations(range(3))]
    assert min(counts) > 150 and max(counts) < 250  # 200, standard deviation 13


def test_planted_motifs_are_over_represented_and_random_graphs_are_not():
    rng = np.random.default_rng(3)
    assert abs(square_census({k: rng.random((20, 20)) < 0.2 for k in SHAPES}, n_random=100).z) < 3
    planted = {k: rng.random((20, 20)) < 0.05 for k in SHAPES}
    for _ in range(15):
        a, b, c, d = rng.integers(20, size=4)
        planted["W"][b, a] = planted["V"][b, c] = planted["Vt"][d, a] = planted["Wt"][d, c] = True
    found = square_census(planted, n_random=100)
    assert found.z > 3 and found.ratio > 1


def test_an_edge_list_with_planted_bifans_is_over_represented():
    edges = list(nx.gnp_random_graph(40, 0.03, seed=4, directed=True).edges)
    assert abs(graph_census(nx.DiGraph(edges), n_random=100).z) < 3
    for k in range(0, 40, 4):
        edges += [(k, k + 1), (k, k + 3), (k + 2, k + 1), (k + 2, k + 3)]
    assert graph_census(nx.DiGraph(edges), n_random=100).z > 5


def test_degrees_are_kept_within_each_projection():
    """With one edge of each projection between any two layers nothing can be shuffled."""
    graph = nx.DiGraph()
    for k, (a, b) in enumerate([(0, 1), (0, 3), (2, 1), (2, 3)]):
        graph.add_edge(a, b, kind=str(k))
    graph.add_edge(4, 5, kind="0")
    assert (graph_census(graph, projection="kind", n_random=20).random <= 1).all()
    fixed = nx.DiGraph((a, b, {"kind": str((a, b))}) for a, b in graph.edges)
    census = graph_census(fixed, projection="kind", n_random=20)
    assert census.observed == 1 and (census.random == 1).all() and np.isnan(census.z)
    assert (graph_census(fixed, n_random=40).random < 1).any()  # as one class, they are


def test_faults_say_what_to_do():
    masks = {k: w != 0 for k, w in random_weights(0).items()}
    with pytest.raises(cs.AnalysisError, match="needs the masks"):
        square_census({"W": masks["W"]})
    with pytest.raises(cs.AnalysisError, match="V must be"):
        square_census(masks | {"V": masks["V"].T})
    with pytest.raises(cs.AnalysisError, match="at least 2"):
        square_census(masks, n_random=1)
    with pytest.raises(cs.AnalysisError, match=r"use nx\.DiGraph"):
        graph_census(nx.path_graph(3))
    with pytest.raises(cs.AnalysisError, match="no attribute 'kind'"):
        graph_census(nx.DiGraph([(0, 1)]), projection="kind")
