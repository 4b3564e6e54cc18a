"""The main claims on Fashion-MNIST, rerun: slow (some 12 minutes on one core)."""

import inspect
import os
from pathlib import Path

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.studies.controls import FROZEN_RATES, frozen_feedback, shuffled_error
from motifs import sal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

LAYERS = [784, 200, 200, 200, 10]
HIDDEN = ("W0", "W1", "W2")
ETA = inspect.signature(sal).parameters["eta"].default
FILES = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def data():
    if not (FILES.is_dir() or os.environ.get("CIRCUITSIM_DATA")):
        pytest.skip("needs Fashion-MNIST: apt install dataset-fashion-mnist, or CIRCUITSIM_DATA")
    return cs.load_dataset("fashion_mnist", download=False)


def run(motif: cs.Motif, data: cs.Dataset, replicas: int, epochs: int = 20, schedule: str | None = "cosine"):
    circuit = cs.compile(motif, replicas=replicas, seed=0)
    history = cs.fit(circuit, data, epochs=epochs, schedule=schedule, evaluate_every=0, progress=False)
    table = cs.alignment(circuit, data.validation.x[:1000], data.validation.target[:1000])
    cosines = table[(table.quantity == "gradient_cosine") & table.site.isin(HIDDEN)].pivot(
        index="replica", columns="site", values="value"
    )
    assert np.isfinite(cosines.to_numpy()).all()
    return history, cosines, table


def test_sal_reaches_88_percent_and_assembles_above_both_controls(data):
    history, cosines, table = run(sal(LAYERS), data, replicas=5)
    assert history.runaways == []
    assert history.final("accuracy", "test").mean() >= 0.88
    assert (cosines.mean() >= 0.5).all()
    stationarity = table[table.quantity == "stationarity_cosine"].groupby("site").value.mean()
    assert len(stationarity) == 3 and (stationarity >= 0.8).all()
    for control in (frozen_feedback(sal(LAYERS, **FROZEN_RATES)), shuffled_error(sal(LAYERS))):
        _, other, _ = run(control, data, replicas=5)
        assert (cosines.mean() - other.mean() > 2 * np.hypot(cosines.std(), other.std())).all()


@pytest.mark.parametrize("options", [{"feedback": [600] * 3}, {"eta": 1.5 * ETA}], ids=str)
def test_nothing_runs_away_with_wider_feedback_or_larger_rates(data, options):
    history, _, _ = run(sal(LAYERS, **options), data, replicas=2)
    assert history.runaways == [] and history.final("accuracy", "test").min() > 0.86
