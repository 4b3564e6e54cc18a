"""read_nir, on graphs that the package nir writes."""

import itertools
import sys
import warnings

import numpy as np
import pytest

import circuitsim as cs

nir = pytest.importorskip("nir")

RNG = np.random.default_rng(0)


def lif(n):
    return nir.LIF(tau=np.full(n, 0.02), r=np.ones(n), v_leak=np.zeros(n), v_threshold=np.ones(n))


def leaky(n):
    return nir.LI(tau=np.full(n, 0.02), r=np.ones(n), v_leak=np.zeros(n))


def affine(n, m):
    return nir.Affine(RNG.normal(size=(m, n)), RNG.normal(size=m))


def linear(n, m):
    return nir.Linear(RNG.normal(size=(m, n)))


def read(tmp_path, nodes, edges):
    nodes = {"input": nir.Input({"input": np.array([5])}), "output": nir.Output({"output": np.array([2])}), **nodes}
    path = tmp_path / "graph.nir"
    nir.write(path, nir.NIRGraph(nodes, edges, type_check=False))
    return cs.read_nir(path)


def chain(*names):
    return list(itertools.pairwise(names))


def test_weights_and_biases_make_the_same_rates(tmp_path):
    nodes = {"fc1": affine(5, 4), "lif1": lif(4), "fc2": linear(4, 2), "readout": leaky(2)}
    motif = read(tmp_path, nodes, chain("input", *nodes, "output"))
    sizes = {p.name: (p.size, p.activation) for p in motif.populations}
    assert sizes == {
        "input": (5, "linear"), "lif1": (4, "relu"), "readout": (2, "linear"), "fc1_bias_unit": (1, "one"),
    }  # fmt: skip
    circuit = cs.compile(motif, device="cpu", dtype="float64")
    x = RNG.normal(size=(7, 5))
    expected = np.maximum(x @ nodes["fc1"].weight.T + nodes["fc1"].bias, 0) @ nodes["fc2"].weight.T
    found = circuit.predict({"input": x}, "readout")[0].numpy()
    assert np.isfinite(found).all() and np.abs(expected).max() > 0.1
    assert np.abs(found - expected).max() < 1e-12


def test_branches_merge_and_names_become_identifiers(tmp_path):
    nodes = {"0": linear(5, 4), "1.left": lif(4), "right": leaky(4), "2": affine(4, 2)}
    edges = [("input", "0"), ("0", "1.left"), ("0", "right"), ("1.left", "2"), ("right", "2"), ("2", "output")]
    motif = read(tmp_path, nodes, edges)
    assert [p.name for p in motif.projections] == [
        "n0_input_n1_left", "n0_input_right", "n2_n1_left_output", "n2_right_output", "n2_bias",
    ]  # fmt: skip
    circuit = cs.compile(motif, device="cpu", dtype="float64")
    x = RNG.normal(size=(7, 5))
    hidden = x @ nodes["0"].weight.T
    expected = (np.maximum(hidden, 0) + hidden) @ nodes["2"].weight.T + nodes["2"].bias
    assert np.abs(circuit.predict({"input": x}, "output")[0].numpy() - expected).max() < 1e-12


def test_neurons_without_weights_between_them_are_one_to_one(tmp_path):
    nodes = {"fc": linear(5, 2), "a": lif(2), "b": leaky(2)}
    motif = read(tmp_path, nodes, chain("input", *nodes, "output"))
    assert motif.projection("a_to_b").connectivity == cs.OneToOne()
    x = RNG.normal(size=(3, 5))
    found = cs.compile(motif, device="cpu", dtype="float64").predict({"input": x}, "b")[0].numpy()
    assert np.abs(found - np.maximum(x @ nodes["fc"].weight.T, 0)).max() < 1e-12


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (
            {"s": nir.Scale(np.ones(5)), "a": linear(5, 2)}, chain("input", "s", "a", "output"),
            "node 's' is a Scale, which no rate neurons represent",
        ),
        (
            {"a": linear(5, 4), "b": linear(4, 2)}, chain("input", "a", "b", "output"),
            "the weights 'a' lead to the weights 'b'",
        ),
        (
            {"a": linear(5, 2), "n.1": leaky(2), "n_1": leaky(2)}, chain("input", "a", "n.1", "n_1", "output"),
            "'n.1' and 'n_1' would both be called 'n_1'",
        ),
        (
            {"a": linear(5, 2), "n": lif(2), "loop": linear(2, 2)},
            [*chain("input", "a", "n", "output"), ("n", "loop"), ("loop", "n")], "n",
        ),
    ],
)  # fmt: skip
def test_graphs_without_a_counterpart_are_refused(nodes, edges, message, tmp_path):
    with pytest.raises(cs.MotifError, match=message):
        read(tmp_path, nodes, edges)


def test_constants_that_change_the_response_are_named(tmp_path):
    neurons = nir.LIF(tau=np.full(2, 0.02), r=np.ones(2), v_leak=np.zeros(2), v_threshold=np.array([1.0, 0.5]))
    nodes = {"fc": linear(5, 2), "a": neurons, "b": nir.LI(np.full(2, 0.02), np.full(2, 3.0), np.zeros(2))}
    message = "v_threshold of 'a' is not 1; r of 'b' is not 1. Rate neurons"
    with pytest.warns(cs.export.LeftOutWarning, match=message) as caught:
        read(tmp_path, nodes, chain("input", *nodes, "output"))
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", cs.export.LeftOutWarning)
        read(tmp_path, {"fc": linear(5, 2), "a": lif(2)}, chain("input", "fc", "a", "output"))


def test_files_that_are_no_graphs_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "graph.nir"
    with pytest.raises(cs.ArchiveError, match=r"graph.nir: cannot be read \(no such file\)"):
        cs.read_nir(path)
    path.write_text("no graph")
    with pytest.raises(cs.ArchiveError, match="graph.nir: not a NIR graph"):
        cs.read_nir(path)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(cs.export.MissingPackage, match=r"pip install 'circuitsim\[nir\]'"):
        cs.read_nir(path)
