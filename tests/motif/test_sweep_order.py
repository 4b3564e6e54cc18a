"""The order of the sweep."""

import networkx as nx
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.motif.population import gates_of
from circuitsim.motif.wiring import dependencies, in_order, wirings, without_cycles
from tests.motif.circuits import two_streams
from tests.strategies import motifs


@settings(max_examples=40)
@given(motifs())
def test_every_population_comes_after_all_that_it_needs(motif):
    (wiring,) = wirings(motif)
    order = wiring.order
    place = {name: k for k, name in enumerate(order)}
    assert sorted(order) == sorted(p.name for p in motif.populations)
    for p in motif.projections:
        assert p.compartment == "dendrite" or place[p.pre] < place[p.post]
    for o in motif.objectives:
        assert place[o.output] < place[o.error]
    for p in motif.populations:
        assert all(place[gate] < place[p.name] for gate in gates_of(p))
    assert wiring.cycle is None
    graph = nx.DiGraph(list(dependencies(motif, motif.projections)))
    graph.add_nodes_from(p.name for p in motif.populations)
    assert order == tuple(nx.lexicographical_topological_sort(graph, key=[p.name for p in motif.populations].index))


def test_ties_are_broken_by_the_order_of_declaration():
    motif = cs.Motif("m")
    motif.add(*(cs.Population(name, 1) for name in ("c", "a", "b")))
    assert wirings(motif)[0].order == ("c", "a", "b")


def test_what_is_on_or_behind_a_cycle_has_no_place_in_the_order():
    assert in_order("dcba", ["ab", "bc", "cb", "cd"]) == ("a",)


def test_a_cycle_is_broken_at_its_last_edge():
    edges = [*["ab", "bc", "ca", "cd", "db", "da", "aa"], "ab"]
    assert without_cycles([tuple(edge) for edge in edges]) == [("a", "b"), ("b", "c"), ("c", "d")]


def test_the_dependencies_say_what_they_are():
    motif = two_streams().replace("up2", activation=cs.GatedBy("down9"))
    assert dependencies(motif, motif.projections) == {
        ("up0", "up1"): "W0",
        ("up1", "up2"): "W1",
        ("down2", "down1"): "Wt1",
        ("down9", "up2"): "gate",
        ("up2", "down2"): "cross_entropy",
    }


def test_gates_are_the_populations_that_an_activation_names():
    assert gates_of(cs.Population("a", 1, activation=cs.GatedBy("up1"))) == ("up1",)
    assert gates_of(cs.Population("a", 1, activation="relu(drive) * slope_b + activity_c * activity_b")) == ("b", "c")
    assert gates_of(cs.Population("a", 1, activation="relu")) == ()
