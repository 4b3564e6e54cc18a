"""Motifs as networkx graphs."""

import networkx as nx
import pytest
from hypothesis import given, settings

import circuitsim as cs
from tests.motif.circuits import two_streams
from tests.strategies import motifs


@settings(max_examples=30)
@given(motifs(replicas=2))
def test_any_motif_survives_networkx(motif):
    copy = cs.Motif.from_networkx(motif.graph)
    assert copy == motif
    copy.validate()


def test_the_graph_has_populations_as_nodes_and_projections_as_keyed_edges():
    graph = two_streams().graph
    assert isinstance(graph, nx.MultiDiGraph) and graph.name == "two_streams"
    assert graph.nodes["up1"] == {
        "size": 3, "stream": "ascending", "activation": "relu", "trace": None, "state": {}, "label": None,
        "shape": None, "positions": None, "sign": None, "source": None,
    }  # fmt: skip
    assert set(graph.edges(keys=True)) == {
        ("up0", "up1", "W0"),
        ("up1", "up2", "W1"),
        ("down2", "down1", "Wt1"),
        ("down1", "up1", "V1"),
        ("up1", "down1", "Vt1"),
        ("down2", "up2", "V2"),
    }
    assert graph.edges["down1", "up1", "V1"]["connectivity"] == cs.Random(0.5)


def test_projections_between_the_same_populations_stay_apart():
    motif = two_streams()
    motif.connect("up0", "up1", name="W0b", plastic=False)
    assert set(motif.graph["up0"]["up1"]) == {"W0", "W0b"}
    assert cs.Motif.from_networkx(motif.graph) == motif


def test_changing_the_graph_leaves_the_motif_alone():
    motif = two_streams()
    motif.graph.remove_node("up1")
    motif.graph.nodes["up1"]["size"] = 99
    assert motif == two_streams()


def test_a_graph_by_hand_is_a_motif_with_defaults():
    graph = nx.MultiDiGraph()
    graph.add_node("x", size=3)
    graph.add_node("y", size=2, activation="relu")
    graph.add_edge("x", "y", key="W", rule=cs.Rule("0.1 * post * pre"))
    expected = cs.Motif("motif")
    expected.add(cs.Population("x", 3), cs.Population("y", 2, activation="relu"))
    expected.connect("x", "y", name="W", rule=cs.Rule("0.1 * post * pre"))
    assert cs.Motif.from_networkx(graph) == expected


def with_node(**attributes):
    graph = nx.MultiDiGraph()
    graph.add_node("x", **attributes)
    return graph


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.DiGraph(), "from_networkx takes a networkx.MultiDiGraph .got DiGraph."),
        (nx.MultiGraph(), "from_networkx takes a networkx.MultiDiGraph .got MultiGraph."),
        (with_node(), "population 'x': .*size"),
        (
            with_node(size=3, colour="red"),
            "population 'x': unknown attribute 'colour' .known: activation, label, positions, shape, sign, size, ",
        ),
        (with_node(size=3, name="y"), "population 'x': unknown attribute 'name'"),
        (with_node(size=3, kind="y", owner="z"), "population 'x': unknown attribute 'kind'"),
    ],
)
def test_a_graph_that_is_no_motif_is_refused(graph, message):
    with pytest.raises(cs.MotifError, match=message):
        cs.Motif.from_networkx(graph)


def test_a_misspelt_attribute_of_the_graph_is_refused_and_those_of_graph_programs_are_not():
    graph = with_node(size=3)
    graph.graph |= {"node_default": {}, "mode": "static"}
    assert cs.Motif.from_networkx(graph).population("x").size == 3
    graph.graph["objectivs"] = []
    with pytest.raises(cs.MotifError, match="unknown attribute 'objectivs'; did you mean 'objectives'"):
        cs.Motif.from_networkx(graph)


def test_an_edge_with_a_foreign_attribute_is_refused_by_name():
    graph = two_streams().graph
    graph.edges["up0", "up1", "W0"]["pre"] = "up2"
    with pytest.raises(
        cs.MotifError, match=r"projection 'W0': unknown attribute 'pre' .known: bounds, compartment, connectivity, "
    ):
        cs.Motif.from_networkx(graph)


def test_a_node_that_has_no_name_is_a_fault_of_the_motif():
    graph = nx.MultiDiGraph()
    graph.add_node(0, size=3)
    with pytest.raises(cs.MotifError, match=r"population: name must be a string .got 0."):
        cs.Motif.from_networkx(graph).validate()
