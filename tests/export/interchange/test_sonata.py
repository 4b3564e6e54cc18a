"""read_sonata, on files that BMTK wrote by the rules of sonata_files/make.py."""

import sys
from pathlib import Path

import numpy as np
import pytest

import circuitsim as cs

h5py = pytest.importorskip("h5py")

FILES = Path(__file__).parent / "sonata_files"
NODES = [FILES / "lgn_nodes.h5", FILES / "v1_nodes.h5"]


def edges(connectome):
    return {(a, b, key): w for a, b, key, w in connectome.edges(keys=True, data="weight")}


def test_synapses_of_two_populations_and_their_weights():
    connectome = cs.read_sonata(FILES / "lgn_v1_edges.h5", nodes=NODES, repeated="sum")
    expected = {  # the rule of make.py; every pair has two synapses
        (("lgn", s), ("v1", t), "lgn_to_v1"): 2 * (0.25 * (1 + s) + t)
        for s in range(6)
        for t in range(6)
        if (s + t) % 3 == 0
    }
    assert len(expected) == 12 and edges(connectome) == expected
    assert sorted(connectome) == [(name, k) for name in ("lgn", "v1") for k in range(6)]


def test_a_weight_of_the_edge_type_times_the_number_of_synapses():
    types = FILES / "v1_v1_edge_types.csv"
    connectome = cs.read_sonata(FILES / "v1_v1_edges.h5", edge_types=types)
    assert edges(connectome) == {(("v1", s), ("v1", t), "v1_to_v1"): -1.5 for s in (4, 5) for t in range(4)}
    counted = cs.read_sonata(FILES / "v1_v1_edges.h5", weight=None)
    assert set(edges(counted).values()) == {1.0}
    assert set(edges(cs.read_sonata(FILES / "v1_v1_edges.h5", edge_types=types, weight="delay")).values()) == {2.0}


def test_it_becomes_the_synapses_of_a_motif():
    connectome = cs.read_sonata(FILES / "lgn_v1_edges.h5", nodes=NODES, repeated="sum")
    synapses = [(i, j, w) for (_, i), (_, j), w in connectome.edges(data="weight")]
    pre, post, weights = map(np.array, zip(*synapses, strict=True))
    matrix = np.zeros((6, 6))
    matrix[post, pre] = weights
    motif = cs.Motif("thalamocortical")
    motif.add(cs.Population("lgn", 6), cs.Population("v1", 6, activation="relu"))
    motif.connect("lgn", "v1", name="W", connectivity=cs.Edges(pre, post), init=cs.Given(matrix))
    circuit = cs.compile(motif, device="cpu", dtype="float64")
    assert np.array_equal(circuit.weights("W").to_dense()[0].numpy(), matrix) and int(circuit.mask("W").sum()) == 12


def changed(tmp_path, change):
    """A copy of the file of edges with one thing changed."""
    path = tmp_path / "edges.h5"
    path.write_bytes((FILES / "lgn_v1_edges.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        change(file["edges/lgn_to_v1"])
    return path


def replace(name, values):
    def change(group):
        attributes = dict(group[name].attrs)
        del group[name]
        group[name] = values
        group[name].attrs.update(attributes)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace("source_node_id", np.arange(23)), r"target_node_id must hold 23 numbers \(got \(24,\)\)"),
        (replace("source_node_id", np.full(24, 9)), "a synapse at node 9 of 'lgn', which has 6 nodes"),
        (replace("source_node_id", np.full(24, -1)), "whole numbers, not negative"),
        (replace("target_node_id", np.full(24, 0.5)), "whole numbers, not negative"),
        (replace("0/syn_weight", np.full(24, np.inf)), "weights are not finite"),
        (replace("0/syn_weight", np.full(24, np.nan)), "24 edges of 'lgn_to_v1' have no 'syn_weight', the first at 0"),
        (replace("0/syn_weight", np.ones(5)), "out of bounds"),
        (lambda group: group["source_node_id"].attrs.clear(), "does not say to which population its nodes belong"),
        (lambda group: group.pop("target_node_id"), "has no target_node_id"),
        (lambda group: group["0"].pop("syn_weight"), r"no weight 'syn_weight' \(its edges have no attributes"),
        (lambda group: group.file.move("edges", "sides"), r"it has no group 'edges' \(it has sides\)"),
    ],
)
def test_files_that_lack_something_are_refused(change, message, tmp_path):
    with pytest.raises(cs.ArchiveError, match=message):
        cs.read_sonata(changed(tmp_path, change), nodes=NODES, repeated="sum")


def test_a_declared_size_is_refused_before_anything_is_read(tmp_path):
    def change(group):
        for name in ("source_node_id", "target_node_id", "edge_type_id"):
            attributes = dict(group[name].attrs)
            del group[name]
            group.create_dataset(name, shape=(10**11,), chunks=(1024,), dtype="u8").attrs.update(attributes)

    with pytest.raises(cs.ArchiveError, match=r"'lgn_to_v1' has 100,000,000,000 edges; at most 10,000,000"):
        cs.read_sonata(changed(tmp_path, change))


def test_repeated_pairs_files_and_options(tmp_path, monkeypatch):
    with pytest.raises(cs.ArchiveError, match=r"12 pairs .* from \('lgn', 0\) to \('v1', 0\) \(2 of them\)"):
        cs.read_sonata(FILES / "lgn_v1_edges.h5")
    with pytest.raises(cs.ArchiveError, match=r"no weight 'w' .*its edge types .*syn_weight"):
        cs.read_sonata(FILES / "v1_v1_edges.h5", weight="w", edge_types=FILES / "v1_v1_edge_types.csv")
    (tmp_path / "types.csv").write_text("id w\n100 1.0\n")
    with pytest.raises(cs.ArchiveError, match="not a table of edge types"):
        cs.read_sonata(FILES / "v1_v1_edges.h5", edge_types=tmp_path / "types.csv")
    with pytest.raises(cs.ArchiveError, match=r"cannot be read as HDF5 \(no such file\)"):
        cs.read_sonata(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(cs.ArchiveError, match="text.h5: cannot be read as HDF5"):
        cs.read_sonata(tmp_path / "text.h5")
    with pytest.raises(cs.ArchiveError, match="it has no group 'nodes'"):
        cs.read_sonata(FILES / "lgn_v1_edges.h5", nodes=FILES / "v1_v1_edges.h5")
    with pytest.raises(cs.ParameterError, match='repeated must be None or "sum"'):
        cs.read_sonata(FILES / "lgn_v1_edges.h5", repeated="mean")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(cs.export.MissingPackage, match=r"pip install 'circuitsim\[h5py\]'"):
        cs.read_sonata(FILES / "lgn_v1_edges.h5")
