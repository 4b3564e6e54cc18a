"""Equal tuning: the same budget for everybody, settings that are those of the best trial, and files to rerun from."""

import json

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from circuitsim.studies import tuning
from circuitsim.studies.experiment import Options


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
