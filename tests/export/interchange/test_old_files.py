"""Files that the version before wrote load, whatever has been renamed since.

There a projection's `compartment` was called ``target`` and `tied_to` was called ``weight``.
"""

import json
from pathlib import Path

import networkx as nx
import pytest

import circuitsim as cs

FOLDER = Path(__file__).parent / "old_files"
W = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


def pair() -> cs.Motif:
    """What the files hold."""
    motif = cs.Motif("pair")
    motif.add(cs.Population("x", 3), cs.Population("y", 2, activation="relu"), cs.Population("e", 2, "descending"))
    motif.add(cs.Population("back", 3, "descending"), cs.Objective("y", "e", "mse"))
    motif.connect("x", "y", name="W", rule=cs.Rule("eta * I_E * pre", eta=0.1), init=cs.Given(W))
    motif.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    motif.connect("e", "back", name="B", tied_to=cs.Derived("W", transpose=True, scale=0.5))
    return motif


@pytest.mark.parametrize("name", ["declared.json", "motif.json", "motif.graphml"])
def test_an_old_motif_is_read_with_all_that_it_declares(name):
    read = cs.read_motif(FOLDER / name)
    assert read == pair()
    assert (read.projection("E").compartment, read.projection("B").tied_to.scale) == ("dendrite", 0.5)


@pytest.mark.parametrize("suffix", ["json", "graphml", "csv"])
def test_an_old_connectome_is_read_with_every_weight_and_compartment(suffix):
    read = cs.read_connectome(FOLDER / f"connectome.{suffix}")
    expected = cs.compile(pair(), device="cpu", dtype="float64").connectome()
    assert dict(read.edges) == dict(expected.edges)
    assert {key: a["compartment"] for *_, key, a in read.edges(keys=True, data=True)} == {
        "W": "soma", "E": "dendrite", "B": "soma",
    }  # fmt: skip
    assert nx.number_of_edges(read) == 6 + 2 + 6


def test_an_old_circuit_is_read_with_its_tied_weights(tmp_path):
    circuit = cs.load_circuit(FOLDER / "circuit.safetensors", device="cpu")
    assert circuit.motif == pair()
    assert circuit.weights("W")[0].tolist() == W
    assert circuit.weights("B")[0].T.tolist() == [[0.05, 0.1, 0.15], [0.2, 0.25, 0.3]]


def test_old_spellings_are_for_files_only():
    with pytest.raises(TypeError, match="target"):
        cs.Projection("W", "x", "y", target="soma")
    graph = pair().graph
    graph.edges["x", "y", "W"]["target"] = "soma"
    with pytest.raises(cs.MotifError, match="projection 'W': unknown attribute 'target'"):
        cs.Motif.from_networkx(graph)
    assert "target" not in json.loads(pair().to_json())["projections"][0]
