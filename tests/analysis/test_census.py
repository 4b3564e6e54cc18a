"""The census counts what brute force counts, and random graphs keep every degree."""

import itertools
import statistics

import networkx as nx
import numpy as np
import pytest

import circuitsim as cs
from circuitsim.analysis.census import (
    Census,
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


@pytest.mark.parametrize(
    ("n", "loops", "n_graphs"),
    [(3, True, 6), (4, False, 9), (3, False, 2)],  # permutations, derangements; two triangles, which no trade connects
)
def test_every_graph_of_the_same_degrees_is_drawn_alike_often(n, loops, n_graphs):
    rng = np.random.default_rng(2)
    cycle = np.roll(np.eye(n, dtype=bool), 1, axis=0)
    drawn = [tuple(shuffled(cycle, rng, loops=loops).argmax(1)) for _ in range(50 * n_graphs)]
    counts = [drawn.count(order) for order in set(drawn)]
    assert len(counts) == n_graphs and min(counts) > 25 and max(counts) < 75  # 50, standard deviation at most 7


def network_with_hubs(seed):
    """100 neurons with up to twenty times the median number of synapses, most of them from hub to hub."""
    rng = np.random.default_rng(seed)
    weights = (np.arange(100) + 1.0) ** -1.0
    chance = 500 * np.outer(weights, weights) / weights.sum() ** 2
    chance[:20, :20] *= 10
    adjacency = (rng.random((100, 100)) < np.minimum(0.9, chance))[:, rng.permutation(100)]
    np.fill_diagonal(adjacency, False)
    return adjacency


def swapped(adjacency, rng):
    """The textbook null model: 100 attempts for each edge to swap its target with another edge's."""
    found, (posts, pres) = adjacency.copy(), np.nonzero(adjacency)
    posts = list(posts)
    for x, y in rng.integers(len(posts), size=(100 * len(posts), 2)).tolist():
        p, q, r, s = pres[x], posts[x], pres[y], posts[y]
        if p != s and r != q and not found[s, p] and not found[q, r]:
            found[q, p] = found[s, r] = False
            found[s, p] = found[q, r] = True
            posts[x], posts[y] = s, q
    return found


def test_networks_with_hubs_are_mixed():
    """The graph, its reverse, 16 times the trades and another method agree, though the graph itself is far off."""
    adjacency, rng = network_with_hubs(0), np.random.default_rng(1)
    graph = nx.from_numpy_array(adjacency.T, create_using=nx.DiGraph)
    forward, backward = (graph_census(g, n_random=40) for g in (graph, graph.reverse()))
    spread = forward.random.std(ddof=1)
    assert forward.observed == backward.observed == count_bifans(adjacency) and spread > 0 and abs(forward.z) > 3
    longer = []
    for _ in range(15):
        found = adjacency
        for _ in range(16):
            found = shuffled(found, rng, loops=False)
        longer.append(count_bifans(found))
    by_swaps = [count_bifans(swapped(adjacency, rng)) for _ in range(8)]
    for other in (backward.random, longer, by_swaps):
        assert abs(np.mean(other) - forward.random.mean()) < 0.9 * spread  # more than two standard errors


def test_z_is_in_units_of_the_sample_deviation():
    census = Census(9, np.array([2.0, 3.0, 7.0]))
    assert census.z == pytest.approx(5 / statistics.stdev([2, 3, 7])) and census.ratio == pytest.approx(9 / 4)


def test_a_cycle_of_three_can_be_turned_though_nothing_can_be_traded():
    census = graph_census(nx.DiGraph([(0, 1), (1, 2), (2, 0)]), n_random=5)
    assert census.observed == 0 and census.random.tolist() == [0.0] * 5


def test_edges_of_different_projections_make_bifans_together():
    graph = nx.MultiDiGraph()
    graph.add_edges_from([(0, 2), (0, 3)], projection="A")
    graph.add_edges_from([(1, 2), (1, 3), (0, 4)], projection="B")  # which joins all neurons of A
    assert graph_census(graph, projection="projection", n_random=5).observed == 1


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
    graph = nx.DiGraph()
    for k, (a, b) in enumerate([(0, 1), (0, 3), (2, 1), (2, 3)]):
        graph.add_edge(a, b, kind=str(k))
    graph.add_edge(4, 5, kind="0")
    assert (graph_census(graph, projection="kind", n_random=20).random <= 1).all()
    assert (graph_census(graph, n_random=40).random < 1).any()  # as one class
    keyed = nx.MultiDiGraph((a, b, kind) for a, b, kind in graph.edges(data="kind"))
    found = [graph_census(g, n_random=20, **o).random for g, o in ((graph, {"projection": "kind"}), (keyed, {}))]
    np.testing.assert_array_equal(*found)


def test_integer_keys_number_parallel_edges_and_are_no_projections():
    """Otherwise the second of two parallel edges would become a synapse of its own in the random graphs."""
    edges = list(nx.gnp_random_graph(12, 0.3, seed=1, directed=True).edges)
    twice = nx.MultiDiGraph(edges + edges)
    found, expected = (graph_census(graph, n_random=9).random for graph in (twice, nx.DiGraph(edges)))
    np.testing.assert_array_equal(found, expected)


NOTHING = {
    "keys": (nx.MultiDiGraph((a, b, f"e{a}{b}") for a, b in [(0, 1), (0, 3), (2, 1), (2, 3)]), {},
             r"each of the 4 edges has a key of its own.*pass nx.DiGraph.graph.*projection="),
    "kinds": (nx.DiGraph((a, b, {"kind": a + 9 * b}) for a, b in [(0, 1), (0, 3), (2, 1)]), {"projection": "kind"},
              r"each of the 3 edges has a kind of its own"),
    "complete": (nx.complete_graph(5, create_using=nx.DiGraph), {}, "no other graph in which every node"),
    "self-loops": (nx.DiGraph([(0, 0)]), {}, "no edges between different nodes"),
    "empty": (nx.DiGraph(), {}, "no edges between different nodes"),
}  # fmt: skip


@pytest.mark.parametrize(("graph", "options", "message"), NOTHING.values(), ids=NOTHING)
def test_a_graph_that_cannot_be_shuffled_is_refused_with_the_reason(graph, options, message):
    with pytest.raises(cs.AnalysisError, match=f"nothing can be shuffled, because .*{message}"):
        graph_census(graph, **options)


def test_faults_say_what_to_do():
    masks = {k: w != 0 for k, w in random_weights(0).items()}
    with pytest.raises(cs.AnalysisError, match="needs the masks"):
        square_census({"W": masks["W"]})
    with pytest.raises(cs.AnalysisError, match="V must be"):
        square_census(masks | {"V": masks["V"].T})
    with pytest.raises(cs.ParameterError, match="n_random must be a whole number, 2 or more .got 1"):
        square_census(masks, n_random=1)
    with pytest.raises(cs.AnalysisError, match=r"use nx\.DiGraph"):
        graph_census(nx.path_graph(3))
    with pytest.raises(cs.AnalysisError, match=r"got ndarray.*nx\.from_numpy_array\(matrix\.T"):
        graph_census(np.eye(3))
    for attributes in ({}, {"kind": None}, {"kind": float("nan")}, {"kind": ["W"]}):
        with pytest.raises(cs.AnalysisError, match="edge 0 -> 1 has no attribute 'kind' that names a projection"):
            graph_census(nx.DiGraph([(0, 1, attributes)]), projection="kind")
    for mask in (masks["W"][0], np.full((4, 5), np.nan), masks["W"].astype(str), "W", [[1, 0], [1]]):
        with pytest.raises(cs.AnalysisError, match="mask 'W' must be a dense matrix"):
            square_census(masks | {"W": mask})
    with pytest.raises(cs.AnalysisError, match="nothing can be shuffled.*prune"):
        square_census({kind: np.ones((3, 3)) for kind in SHAPES})
