"""The order of the sweep."""

import networkx as nx
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.motif.sweep_order import dependency_graph, find_cycle, gates_of, sweep_order
from tests.motif.circuits import two_streams
from tests.strategies import motifs


@settings(max_examples=40)
@given(motifs())
def test_every_population_comes_after_all_that_it_needs(motif):
    order = sweep_order(motif)
    place = {name: k for k, name in enumerate(order)}
    assert sorted(order) == sorted(p.name for p in motif.populations)
    for p in motif.projections:
        assert p.target == "dendrite" or place[p.pre] < place[p.post]
    for o in motif.objectives:
        assert place[o.output] < place[o.error]
    for p in motif.populations:
        assert all(place[gate] < place[p.name] for gate in gates_of(p))
    assert find_cycle(motif) is None


def test_ties_are_broken_by_the_order_of_declaration():
    motif = cs.Motif("m")
    motif.add(*(cs.Population(name, 1) for name in ("c", "a", "b")))
    assert sweep_order(motif) == ("c", "a", "b")


def test_the_dependencies_say_what_they_are():
    graph = dependency_graph(two_streams().replace("up2", activation=cs.GatedBy("down9")))
    assert dict(graph.edges) == {
        ("up0", "up1"): {"via": "W0"},
        ("up1", "up2"): {"via": "W1"},
        ("down2", "down1"): {"via": "Wt1"},
        ("down9", "up2"): {"via": "gate"},
        ("up2", "down2"): {"via": "cross_entropy"},
    }
    assert nx.is_directed_acyclic_graph(graph)


def test_gates_are_the_populations_that_an_activation_names():
    assert gates_of(cs.Population("a", 1, activation=cs.GatedBy("up1"))) == ("up1",)
    assert gates_of(cs.Population("a", 1, activation="relu(drive) * slope_b + activity_c * activity_b")) == ("b", "c")
    assert gates_of(cs.Population("a", 1, activation="relu")) == ()
