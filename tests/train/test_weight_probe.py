"""Weights over a run are what the circuit had at those moments, and a file keeps them."""

import re

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.train.weight_probe import every_for
from motifs import paper_sal
from tests.test_fuzz import rich_motif


def learned(path=None, kept=None, epochs=4, **options):
    data = cs.load_dataset("teacher")
    circuit = cs.compile(paper_sal([data.n_features, 9, data.n_outputs]), replicas=2, seed=1, device="cpu")
    seen = []
    probe = cs.WeightProbe(2, path=path, kept=kept or cs.WeightHistory(), **options)
    look = cs.Probe(lambda c: seen.append({p.name: c.weights(p.name).numpy() for p in c.motif.projections}), 2)
    cs.fit(circuit, data, epochs=epochs, data_seed=0, probes={"weights": probe, "look": look}, progress=False)
    return probe.kept, seen


def test_each_moment_holds_the_weights_of_that_moment():
    for replica in (0, 1):
        kept, seen = learned(kept=cs.WeightHistory(replica=replica))
        assert kept.epochs == [0, 2, 4] and len(seen) == 3 and kept.steps[2] == 2 * kept.steps[1] > 0
        for name, weights in kept.weights.items():
            np.testing.assert_array_equal(np.nan_to_num(weights), [moment[name][replica] for moment in seen])
        assert not np.array_equal(kept.weights["W0"][0], kept.weights["W0"][2])


def test_a_second_run_of_a_circuit_continues_the_moments():
    data, kept = cs.load_dataset("teacher"), cs.WeightHistory()
    circuit = cs.compile(paper_sal([data.n_features, 9, data.n_outputs]), device="cpu")
    for _ in range(2):
        cs.fit(circuit, data, epochs=2, probes={"weights": cs.WeightProbe(kept=kept)}, progress=False)
    assert kept.epochs == [0, 1, 2, 3, 4] and kept.steps == sorted(set(kept.steps))


def test_of_large_populations_some_neurons_are_kept_and_said_which():
    kept, seen = learned(n_neurons=4)
    assert kept.neurons["up1"].tolist() == [0, 3, 5, 8]
    rows, columns = kept.neurons["up1"], kept.neurons["up0"]
    assert len(columns) == 4 and columns[0] == 0 and columns[-1] == seen[0]["W0"].shape[2] - 1
    np.testing.assert_array_equal(kept.weights["W0"][1], seen[1]["W0"][0][np.ix_(rows, columns)])


def test_where_there_is_no_synapse_there_is_no_number():
    circuit = cs.compile(rich_motif(), replicas=2, device="cpu")
    probe = cs.WeightProbe(kept=cs.WeightHistory(replica=1))
    probe.call("weights", circuit, cs.History(), 0.0)
    for p in circuit.motif.projections:
        np.testing.assert_array_equal(np.isfinite(probe.kept.weights[p.name][0]), circuit.mask(p.name)[1].to_dense())
    assert np.isnan(probe.kept.weights["b"]).any()


def test_a_sparse_projection_of_many_neurons_is_never_made_dense():
    motif = cs.Motif("wide")
    motif.add(cs.Population("x", 300_000), cs.Population("y", 300_000))
    ends = np.arange(0, 300_000, 3)
    motif.connect("x", "y", name="W", connectivity=cs.Edges(ends, ends), init=cs.Constant(0.5))
    probe = cs.WeightProbe(n_neurons=4)
    probe.call("weights", cs.compile(motif, device="cpu"), cs.History(), 0.0)
    assert probe.kept.neurons["x"].tolist() == [0, 100_000, 199_999, 299_999]
    assert probe.kept.weights["W"][0, 0, 0] == 0.5 and np.isnan(probe.kept.weights["W"]).sum() == 15


def test_the_file_is_the_history_and_a_resumed_run_goes_on_from_it(tmp_path):
    path = tmp_path / "weights.npz"
    kept, _ = learned(path)
    read = cs.WeightHistory.load(path)
    assert (read.epochs, read.steps, read.replica) == (kept.epochs, kept.steps, 0)
    for part in ("neurons", "weights"):
        assert set(getattr(read, part)) == set(getattr(kept, part))
        for name, array in getattr(kept, part).items():
            np.testing.assert_array_equal(getattr(read, part)[name], array)
    read.add(read.steps[1], 2.0, {name: array[0] for name, array in read.weights.items()})  # it went back to epoch 2
    assert read.epochs == [0, 2] and all(len(array) == 2 for array in read.weights.values())
    np.testing.assert_array_equal(read.weights["W0"][1], kept.weights["W0"][0])


def test_no_run_has_more_than_21_moments():
    assert [every_for(epochs) for epochs in (0, 1, 20, 21, 40, 41)] == [1, 1, 1, 2, 2, 3]


def test_bad_arguments_and_files_are_told(tmp_path):
    with pytest.raises(cs.ParameterError, match="n_neurons must be a whole number, 1 or more .got 0"):
        cs.WeightProbe(n_neurons=0)
    with pytest.raises(cs.ParameterError, match="replica 2 does not exist; the circuit has 2"):
        learned(kept=cs.WeightHistory(replica=2))
    path = tmp_path / "weights.npz"
    good = {"replica": np.array(0), "epochs": np.zeros(2), "steps": np.arange(2)}
    for change, message in (
        ({"steps": np.arange(3)}, "'steps' has int64 of shape .3., needs integers of shape .2."),
        ({"epochs": np.array(1.0)}, "'epochs' has float64 of shape .., needs floats of shape .1."),
        ({"epochs": np.array("x")}, "'epochs' has <U1 of shape .., needs floats of shape .1."),
        ({"neurons/x": np.array(3)}, "'neurons/x' has int64 of shape .., needs integers of shape .1."),
        ({"weights/W": np.array(0.5)}, "'weights/W' has float64 of shape .."),
        ({"weights/W": np.ones((3, 2, 2))}, "'weights/W' has float64 of shape .3, 2, 2."),
        ({"weights/W": np.ones((2, 2, 2), dtype=int)}, "'weights/W' has int64"),
        ({"neurons/x": np.ones(2)}, "'neurons/x' has float64"),
    ):
        np.savez(path, **{**good, **change})
        with pytest.raises(cs.ArchiveError, match=f"^{re.escape(str(path))}: array {message}"):
            cs.WeightHistory.load(path)
    np.savez(path, epochs=np.zeros(2))
    with pytest.raises(cs.ArchiveError, match="array 'replica' is missing, so this is not a weight history"):
        cs.WeightHistory.load(path)


def test_a_moment_that_does_not_fit_changes_nothing():
    kept = cs.WeightHistory()
    kept.add(0, 0.0, {"W": np.ones((2, 3))})
    for wrong in ({"W": np.ones((2, 2))}, {}, {"W": np.ones((2, 3)), "V": np.ones((1, 1))}):
        with pytest.raises(cs.ParameterError, match="a moment needs weights of the shapes"):
            kept.add(3, 1.0, wrong)
    assert (kept.steps, kept.epochs, len(kept.weights["W"])) == ([0], [0.0], 1)
