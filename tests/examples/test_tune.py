"""Equal tuning: the same number of trials for everybody, settings of the best trial, and searches that go on."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

import circuitsim as cs
import motifs
import tune
from support import Setup
from support import search as rates
from support.algorithms import ALGORITHMS, Algorithm, tuned

ROOT = Path(__file__).parents[2]


def teacher(dataset: str, folder: Path | None = None) -> cs.Dataset:
    return cs.load_dataset("teacher", n_features=10, n_outputs=3, n_samples=500)


def setup(out, epochs=4, **options):
    return Setup("teacher", (8,), 50, epochs, 1, out, device="cpu", load=teacher, **options)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("tune")
    return tune.tune(setup(out, epochs=16), ["backprop", "sal_frozen"], 10), out


def test_every_algorithm_has_the_same_number_of_trials_and_only_the_better_ones_go_on(found):
    trials, out = found
    for name in ("backprop", "sal_frozen"):
        own = trials[trials.algorithm == name]
        assert len(own) == 10 and np.isfinite(own[~own.runaway].validation).all()
        space = ALGORITHMS[name].space
        assert all(own[key].between(0.9 * low, 1.1 * high).all() for key, (low, high) in space.items())
        assert own[list(space)].drop_duplicates().shape[0] == 10
        assert set(own.rungs) <= {0, 1, 2, 3} and 1 <= (own.rungs == 3).sum() < 10
        # a sixteenth of 16 epochs, a quarter, all; a pruned trial stops after a rung, and a runaway within the next
        assert set(zip(own[~own.runaway].rungs, own[~own.runaway].epochs, strict=True)) <= {(1, 1), (2, 5), (3, 21)}
    assert trials[trials.algorithm == "backprop"].gain_V.isna().all()
    pd.testing.assert_frame_equal(pd.read_csv(out / "trials.csv"), trials)


def test_the_settings_are_those_of_the_best_trial_that_learned_for_all_the_epochs(found):
    trials, out = found
    for name, chosen in json.loads((out / "settings.json").read_text()).items():
        last = trials[(trials.algorithm == name) & (trials.rungs == 3)]
        assert chosen == last.loc[last.validation.idxmax()][list(ALGORITHMS[name].space)].to_dict()


def test_a_trial_among_others_scores_what_it_scores_alone(found):
    trials, _ = found
    row = trials[(trials.algorithm == "backprop") & (trials.rungs == 3)].iloc[0]
    motif = motifs.backprop([10, 8, 3], eta=row.eta, gamma=row.gamma)
    # the replica's seed is its place among those that came so far
    scores = []
    for seed in range(8):
        circuit = cs.compile(motif, seed=seed, device="cpu")
        history = cs.fit(circuit, teacher(""), epochs=16, batch_size=50, schedule="cosine", progress=False)
        scores.append(history.final("accuracy", "validation")[0])
    assert np.min(np.abs(np.array(scores) - row.validation)) < 0.011  # one sample of 100


def trials_of(study):
    return [(trial.state, trial.params, trial.intermediate_values) for trial in study.get_trials(states=tune.FINISHED)]


def test_runaways_lose_and_a_stable_algorithm_must_survive_stress(tmp_path, monkeypatch):
    wild = {"eta": (1e-3, 1e5)}
    monkeypatch.setitem(ALGORITHMS, "wild", Algorithm("wild", motifs.backprop, wild))
    monkeypatch.setitem(ALGORITHMS, "stable", Algorithm("stable", motifs.backprop, {"eta": (1e-3, 1.0)}, stable=True))
    trials = tune.tune(setup(tmp_path), ["wild"], 8, "random")
    assert 0 < trials.runaway.sum() < 8
    assert trials[trials.runaway].eta.min() > trials[trials.rungs == 3].eta.max()
    monkeypatch.setattr(rates, "STRESS", 1e9)
    everybody_out = tune.tune(setup(tmp_path), ["stable"], 8, "random")
    assert (everybody_out.rungs < 3).all() and everybody_out.runaway.any()
    assert json.loads((tmp_path / "settings.json").read_text()) == {"stable": {}}


SCRIPT = """
import sys
from pathlib import Path
import tune
from tests.examples.test_tune import setup
tune.search("backprop", setup(Path(sys.argv[1])), 24, "random")
"""


def test_a_search_that_is_killed_goes_on_and_keeps_every_finished_trial(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT, env=_environment())
    journal, deadline = tmp_path / "journal.log", time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 60):  # about a batch and a half of trials
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    study = tune.study_of("backprop", setup(tmp_path), "random")
    before, running = trials_of(study), len(study.get_trials(states=[TrialState.RUNNING]))
    assert 0 < len(before) < 24
    tune.search("backprop", setup(tmp_path), 24, "random")
    study = tune.study_of("backprop", setup(tmp_path), "random")
    after = trials_of(study)
    assert len(after) == 24 and all(trial in after for trial in before)
    assert len(study.get_trials(states=[TrialState.FAIL])) == running and not study.get_trials(
        states=[TrialState.RUNNING]
    )
    assert len({trial[1]["eta"] for trial in after}) == 24  # nothing is tried twice
    tune.search("backprop", setup(tmp_path), 24, "random")
    assert len(study.get_trials()) == 24 + running  # nothing is left to do


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "examples"), str(ROOT)])}


def test_a_search_on_workers_is_the_search_here(tmp_path):
    from distributed import LocalCluster  # late: the import takes a second

    here = tune.tune(setup(tmp_path / "here"), ["backprop", "kolen_pollack"], 4)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        scheduler = cluster.scheduler_address
        there = tune.tune(setup(tmp_path / "there", scheduler=scheduler), ["backprop", "kolen_pollack"], 4)
    assert np.isfinite(here[~here.runaway].validation).all()
    pd.testing.assert_frame_equal(there, here)


def test_unknown_names_and_data_without_validation_are_told(tmp_path):
    with pytest.raises(cs.ParameterError, match=r"no algorithm 'sgd' \(known: backprop, "):
        tune.tune(setup(tmp_path), ["sgd"], 4)
    with pytest.raises(cs.ParameterError, match=r"no sampler 'grid' \(known: tpe, random"):
        tune.tune(setup(tmp_path), ["backprop"], 4, "grid")
    data = cs.load_dataset("digits")
    bare = cs.Dataset.from_arrays(data.train.x.numpy(), data.train.target.numpy(), name="bare")
    with pytest.raises(cs.DataError, match="'bare': settings are chosen on a validation split"):
        tune.tune(Setup("bare", (8,), 50, 1, 1, tmp_path, load=lambda name, folder: bare), ["backprop"], 4)


def test_every_algorithm_builds_from_every_corner_of_its_space():
    for algorithm in ALGORITHMS.values():
        for end in (0, 1):
            settings = {name: ends[end] for name, ends in algorithm.space.items()}
            algorithm.make([6, 5, 4, 3], **settings, loss="cross_entropy").validate()


def test_settings_are_written_with_two_digits():
    trial = optuna.trial.FixedTrial({"eta": 0.123456, "gamma": 3.4567e-6})
    rates.suggest(trial, ALGORITHMS["backprop"].space)
    assert tune.settings_of(trial) == {"eta": 0.12, "gamma": 3.5e-6}


RESULTS = ROOT / "docs/results"


@pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])
def test_the_kept_settings_are_those_of_the_best_of_the_kept_trials(dataset):
    trials = pd.read_csv(RESULTS / f"tune_{dataset}.csv")
    if dataset == "fashion_mnist":
        frozen = pd.read_csv(RESULTS / "search_sal_frozen.csv").assign(algorithm="sal_frozen")
        trials = pd.concat([trials, frozen], ignore_index=True)
    else:
        atlas = pd.read_csv(RESULTS / "tune_atlas_digits.csv").rename(columns={"rungs": "rung"})
        trials = pd.concat([trials, atlas[~atlas.algorithm.isin(trials.algorithm)]], ignore_index=True)
    kept = tuned(dataset)
    assert kept and set(trials.algorithm) == set(kept)
    for name, settings in kept.items():
        own = trials[trials.algorithm == name]
        last = own[own.rung == own.rung.max()]
        best = last.groupby("trial").validation.mean().idxmax()
        row = last[last.trial == best].iloc[0]
        assert settings == {key: row[key] for key in ALGORITHMS[name].space}


SHIPPED = {n: n for n in tuned("fashion_mnist") if hasattr(motifs, n) and n != "sal"} | {"paper_sal": "sal_stable"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_defaults_of_a_motif_are_what_tune_found_on_fashion_mnist(name):
    defaults = inspect.signature(getattr(motifs, name)).parameters
    found = tuned("fashion_mnist")[SHIPPED[name]]
    assert {key: defaults[key].default for key in found} == found
    command = "`examples/tune.py`" if SHIPPED[name] == name else f"`examples/tune.py {SHIPPED[name]}`"
    said = f"found by {command} on Fashion-MNIST"
    assert said in " ".join(getattr(motifs, name).__doc__.split())


def test_most_motifs_have_a_tuned_default():
    assert {"paper_sal", "backprop", "kolen_pollack", "feedback_alignment", "weight_mirror"} <= set(SHIPPED)
