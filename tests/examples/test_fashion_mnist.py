"""The main claims on Fashion-MNIST: declared as they are told here, and slowly rerun (some 12 minutes on one core)."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

import circuitsim as cs
from fashion_mnist import FashionMnist
from support import deviations
from support.algorithms import FROZEN, SHUFFLED
from support.trainer import train_all
from tests.examples.run import assert_written, run

FILES = Path("/usr/share/datasets/fashion-mnist")


def test_every_condition_learns_on_another_data_set_and_only_those_of_60_epochs_are_longer(tmp_path):
    found = run(FashionMnist, tmp_path, dataset="teacher", epochs=1)
    assert len(found.table()) == 15 and np.isfinite([r.final("loss", "test") for r in found.results.values()]).all()
    assert_written(tmp_path, "self_assembly.png")
    full = FashionMnist(dataclasses.replace(found.setup, quick=False)).conditions()
    for label, condition in full.items():
        assert (condition.epochs == 60) == ("60 epochs" in label)
        assert (condition.schedule is None) == ("constant eta" in label)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_sal_reaches_88_percent_assembles_above_both_controls_and_nothing_runs_away(tmp_path):
    if not (FILES.is_dir() or os.environ.get("CIRCUITSIM_DATA")):
        pytest.skip("needs Fashion-MNIST: apt install dataset-fashion-mnist, or CIRCUITSIM_DATA")
    setup = FashionMnist.on(out=tmp_path, progress=False).setup
    study = FashionMnist(dataclasses.replace(setup, load=lambda name, folder: cs.load_dataset(name, download=False)))
    conditions = study.conditions()
    labels = ("SAL", FROZEN, SHUFFLED)
    found = train_all({label: conditions[label] for label in labels}, study.setup)
    assert found["SAL"].runaways == [] and found["SAL"].final("accuracy", "test").mean() >= 0.88
    cosines = {label: found[label].by_site("gradient_cosine") for label in labels}
    stationarity = found["SAL"].by_site("stationarity_cosine")
    assert len(stationarity) == 3 and all(values.mean() >= 0.8 for values in stationarity.values())
    for site in ("W0", "W1", "W2"):
        assert cosines["SAL"][site].mean() >= 0.5
        for control in (FROZEN, SHUFFLED):
            assert deviations(cosines["SAL"][site], cosines[control][site]) > 2
    others = ("SAL, descending stream 3 times as wide", "SAL, all eta 1.5 times as large")
    setup = dataclasses.replace(study.setup, seeds=2)
    for result in train_all({label: conditions[label] for label in others}, setup).values():
        assert result.runaways == [] and result.final("accuracy", "test").min() > 0.86
