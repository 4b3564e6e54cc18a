"""An experiment's circuits learn the same on workers as here, and those that have learned are kept."""

import numpy as np
import pandas as pd
import pytest
import torch

import circuitsim as cs
from circuitsim.studies.experiment import Options, run_experiment
from circuitsim.studies.task import task_for
from circuitsim.studies.theory import theory
from circuitsim.studies.train_all import train_all
from circuitsim.studies.winner_take_all import largest_shares
from motifs import backprop, sal


def test_circuits_trained_on_workers_are_those_trained_here(tmp_path):
    options = Options("teacher", epochs=1, seeds=2, device="cpu", progress=False, out=tmp_path)
    here, there = (task_for(options, 1), task_for(Options(**{**vars(options), "scheduler": "local"}), 1))
    motifs = {"SAL (a)": sal(here.layers), "SGD": backprop(here.layers)}
    expected = train_all(motifs, here, quantities=("gradient_cosine",))
    for _ in range(2):  # the second time they are read
        found = train_all(motifs, there, quantities=("gradient_cosine",))
        assert list(found) == list(motifs)
        for label, run in found.items():
            one = expected[label]
            pd.testing.assert_frame_equal(run.history.to_pandas(), one.history.to_pandas(), check_dtype=False)
            for p in run.circuit.motif.projections:
                weights = run.circuit.weights(p.name)
                assert torch.isfinite(weights).all() and torch.equal(weights, one.circuit.weights(p.name))
                np.testing.assert_array_equal(run.before[p.name], one.before[p.name])
    kept = sorted(path.name for path in (tmp_path / "trained").iterdir())
    assert len(kept) == 2 and kept[0].startswith("SAL_a__") and kept[1].startswith("SGD_")
    circuit = cs.load_circuit(tmp_path / "trained" / kept[1], device="cpu")
    assert torch.equal(circuit.weights("W0"), expected["SGD"].circuit.weights("W0"))


def test_a_run_folder_that_cannot_be_written_is_told_before_the_experiment_begins(tmp_path):
    (tmp_path / "file").write_text("in the way")

    def experiment(options: Options) -> None:
        raise AssertionError("it began")

    with pytest.raises(cs.ArchiveError, match="cannot be written"):
        run_experiment(experiment, Options(out=tmp_path / "file" / "run"))


def test_measures_are_taken_on_workers_too(tmp_path):
    options = Options("teacher", epochs=1, seeds=2, device="cpu", progress=False, out=tmp_path)
    here, there = (task_for(options, 1), task_for(Options(**{**vars(options), "scheduler": "local"}), 1))
    motifs = {"SAL": sal(here.layers)}
    expected, found = (train_all(motifs, task, measures=[largest_shares])["SAL"].history for task in (here, there))
    assert np.isfinite(expected.curve("largest_share_V", "probe").to_numpy()).all()
    pd.testing.assert_frame_equal(found.to_pandas(), expected.to_pandas(), check_dtype=False)


def test_a_scheduler_is_refused_where_it_is_of_no_use(tmp_path):
    with pytest.raises(cs.ParameterError, match="scheduler 'local': this experiment is one run after the other"):
        run_experiment(theory, Options(out=tmp_path, scheduler="local"))
