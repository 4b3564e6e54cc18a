"""Equal tuning: the same budget for everybody, settings that are those of the best trial, and files to rerun from."""

import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
import motifs
from circuitsim.studies import tuning
from circuitsim.studies.experiment import Options
from circuitsim.studies.tuned_settings import tuned


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("tune")
    options = Options(quick=True, progress=False, device="cpu", out=out)
    return tuning.tune(options, ["backprop", "sal_frozen"]), out


def test_every_algorithm_has_the_same_budget(found):
    _, out = found
    trials = pd.read_csv(out / "trials.csv")
    spent = trials.groupby("algorithm").epochs.agg(["size", "sum"])
    assert spent.loc["backprop"].tolist() == spent.loc["sal_frozen"].tolist() == [7, 4 * 1 + 2 * 4 + 20]
    assert trials[trials.algorithm == "backprop"].gain_V.isna().all()
    assert np.isfinite(trials[trials.algorithm == "sal_frozen"].gain_V).all()


def test_the_settings_are_those_of_the_best_trial_of_the_last_rung(found):
    report, out = found
    trials = pd.read_csv(out / "trials.csv")
    settings = json.loads((out / "settings.json").read_text())
    for name, chosen in settings.items():
        last = trials[(trials.algorithm == name) & (trials.rung == 2)]
        row = last.loc[last.validation.idxmax()]
        assert chosen == {key: row[key] for key in tuning.ALGORITHMS[name].space}
        shown = report.table.set_index("algorithm").loc[tuning.ALGORITHMS[name].label]
        assert float(shown.validation) == pytest.approx(row.validation, abs=1e-4)
        assert row.validation > 0.85


def test_the_best_is_the_least_where_a_loss_is_judged_and_runaways_never_win():
    table = pd.DataFrame(
        {"trial": [0, 1, 2], "rung": 0, "validation": [0.3, 0.2, np.nan], "eta": [1.0, 2.0, 3.0]}
    )  # fmt: skip
    space = {"eta": tuning.ETA}
    assert tuning.best(table, space) == {"eta": 1.0}
    assert tuning.best(table, space, "loss") == {"eta": 2.0}
    assert tuning.best(table.assign(validation=np.nan), space) == {}


def test_an_unknown_algorithm_and_data_without_validation_are_named(tmp_path, monkeypatch):
    with pytest.raises(cs.DataError, match=r"no algorithm 'sgd' \(known: backprop, "):
        tuning.tune(Options(quick=True, progress=False, out=tmp_path), ["sgd"])
    data = cs.load_dataset("digits")
    bare = cs.Dataset.from_arrays(data.train.x.numpy(), data.train.target.numpy(), name="bare")
    monkeypatch.setattr("circuitsim.studies.task.load_dataset", lambda name: bare)
    with pytest.raises(cs.DataError, match="'bare': settings are chosen on a validation split"):
        tuning.tune(Options(quick=True, progress=False, out=tmp_path), ["backprop"])


def test_every_algorithm_builds_from_every_corner_of_its_space():
    for algorithm in tuning.ALGORITHMS.values():
        for end in ("low", "high"):
            settings = {name: getattr(part, end) for name, part in algorithm.space.items()}
            algorithm.make([6, 5, 4, 3], **settings, loss="cross_entropy").validate()


TRIALS = Path(__file__).parents[2] / "docs/results"


@pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])
def test_the_kept_settings_are_those_of_the_best_of_the_kept_trials(dataset):
    trials = pd.read_csv(TRIALS / f"tune_{dataset}.csv")
    kept = tuned(dataset)
    assert kept and set(trials.algorithm) == set(kept)
    for name, settings in kept.items():
        assert settings == tuning.best(trials[trials.algorithm == name], tuning.ALGORITHMS[name].space)


SHIPPED = {name: name for name in tuned("fashion_mnist") if hasattr(motifs, name)} | {"sal": "sal_stable"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_defaults_of_a_motif_are_what_tune_found_on_fashion_mnist(name):
    defaults = inspect.signature(getattr(motifs, name)).parameters
    found = tuned("fashion_mnist")[SHIPPED[name]]
    assert {key: defaults[key].default for key in found} == found
    said = "`circuitsim tune` found on Fashion-MNIST" if SHIPPED[name] == name else f"`circuitsim tune {SHIPPED[name]}`"
    assert said in " ".join(getattr(motifs, name).__doc__.split())


def test_most_motifs_have_a_tuned_default():
    assert {"sal", "backprop", "kolen_pollack", "feedback_alignment", "weight_mirror"} <= set(SHIPPED)
