"""Learning rates: every factor from the same starts, accuracies by factor, runaways marked and left out."""

import inspect

import numpy as np
import pytest
import torch

import circuitsim as cs
import learning_rates as study
from motifs import paper_sal
from tests.examples.run import assert_written, numbers, quick_setup, run

ETA = inspect.signature(paper_sal).parameters["eta"].default


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return run(study.LearningRates, tmp_path_factory.mktemp("run"))


def test_a_tenth_of_the_rates_learns_less_in_the_same_time(found):
    mean = numbers(found.table().set_index(["circuit", "factor"]), "test accuracy, %")
    assert len(mean) == 9
    for circuit in ("SAL", "SAL (paper)", "SGD"):
        assert mean[circuit, 1.0] > mean[circuit, 0.1] + 10 and mean[circuit, 1.0] > 70
    assert_written(found.setup.out, "learning_rates.png", "learning_rates.svg")


def test_all_factors_start_from_the_same_weights_and_keep_the_ratio_of_the_rates():
    conditions = study.LearningRates(quick_setup(study.LearningRates)).conditions()
    circuits = [cs.compile(conditions[f"SAL (paper) × {factor}"].motif, device="cpu") for factor in ("0.1", "1", "3")]
    for p in circuits[0].motif.projections:
        for circuit in circuits[1:]:
            assert torch.equal(circuit.weights(p.name), circuits[0].weights(p.name))
        if p.is_plastic:
            etas = [circuit.parameters(p.name)["eta"] for circuit in circuits]
            np.testing.assert_allclose(etas, np.array([0.1, 1, 3]) * etas[1], rtol=1e-6)


def test_accuracies_are_those_of_the_factor_run_alone(found):
    data = cs.load_dataset("digits")
    circuit = cs.compile(paper_sal([64, 32, 32, 10], eta=3.0 * ETA), replicas=2, device="cpu")
    history = cs.fit(circuit, data, epochs=5, batch_size=64, schedule="cosine", progress=False)
    np.testing.assert_allclose(found.accuracy["SAL (paper)", 3.0], 100 * history.final("accuracy", "test"), atol=0.5)


def test_factors_that_run_away_are_marked_and_have_no_accuracy(monkeypatch, tmp_path):
    monkeypatch.setattr(study, "QUICK_FACTORS", (1.0, 1000.0))
    found = run(study.LearningRates, tmp_path, epochs=3)
    table = found.table()
    sal_rows = table[table.circuit == "SAL (paper)"].set_index("factor")
    assert sal_rows.loc[1000.0, "ran away"] == "2 of 2" and sal_rows.loc[1000.0, "test accuracy, %"] == "-"
    assert sal_rows.loc[1.0, "ran away"] == "0 of 2"
    assert "Runaways at: 1000" in found.notes()
