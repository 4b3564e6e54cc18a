"""Learning rates: every factor from the same starts, accuracies by factor, runaways marked and left out."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.studies import learning_rates as study
from circuitsim.studies.experiment import Options, write_report
from circuitsim.studies.task import task_for
from motifs import sal

OPTIONS = Options(quick=True, seeds=2, device="cpu", progress=False)


@pytest.fixture(scope="module")
def report():
    return study.learning_rates(OPTIONS)


def test_a_tenth_of_the_rates_learns_less_in_the_same_time(report):
    mean = {(row.circuit, row.factor): float(row["test accuracy, %"].split()[0]) for _, row in report.table.iterrows()}
    assert len(mean) == 6
    for circuit in ("SAL", "SGD"):
        assert mean[circuit, 1.0] > mean[circuit, 0.1] + 10 and mean[circuit, 1.0] > 80


def test_all_factors_start_from_the_same_weights_and_keep_the_ratio_of_the_rates():
    task = task_for(OPTIONS, 1)
    factors = (0.5, 2.0, 4.0)
    circuit = study.compile_grid(lambda f: sal(task.layers, eta=0.2 * f, eta_V=0.73, eta_Wt=0.35), factors, task)
    assert circuit.n_replicas == 6
    for p in circuit.motif.projections:
        w = circuit.weights(p.name)
        for k in range(3):
            torch.testing.assert_close(w[2 * k : 2 * k + 2], w[:2], rtol=0, atol=0)
        if p.name == "V1":
            assert not torch.equal(w[0], w[1])
    for name, rate in (("W0", 0.2), ("V1", 0.2 * 0.73), ("Vt1", 0.2 * 0.73), ("Wt1", 0.2 * 0.35)):
        eta = np.asarray(circuit.parameters(name)["eta"]).ravel()
        assert eta == pytest.approx(rate * np.repeat(factors, 2), rel=1e-6)


def test_accuracies_are_those_of_the_factor_run_alone(report):
    data = cs.load_dataset("digits")
    circuit = cs.compile(sal([64, 32, 32, 10], eta=3.0 * study.ETA["SAL"]), replicas=2, device="cpu")
    history = cs.fit(circuit, data, epochs=5, batch_size=64, schedule="cosine", progress=False)
    alone = 100 * history.final("accuracy", "test")
    row = report.table[(report.table.circuit == "SAL") & (report.table.factor == 3.0)].iloc[0]
    assert float(row["test accuracy, %"].split()[0]) == pytest.approx(alone.mean(), abs=0.5)
    np.testing.assert_allclose(100 * report.histories["SAL × 3"].final("accuracy", "test"), alone, atol=0.5)


def test_factors_that_run_away_are_marked_and_have_no_accuracy(monkeypatch):
    monkeypatch.setattr(study, "QUICK_FACTORS", (1.0, 1000.0))
    found = study.learning_rates(Options(quick=True, epochs=3, seeds=2, device="cpu", progress=False))
    sal_rows = found.table[found.table.circuit == "SAL"].set_index("factor")
    assert sal_rows.loc[1000.0, "ran away"] == "2 of 2" and sal_rows.loc[1000.0, "test accuracy, %"] == "-"
    assert sal_rows.loc[1.0, "ran away"] == "0 of 2"
    assert "Runaways at: 1000" in found.notes
    assert len(found.histories["SAL × 1000"].runaways) == 2 and found.histories["SAL × 1"].runaways == []


def test_the_run_folder_holds_table_figure_and_histories(report, tmp_path):
    write_report(report, tmp_path, OPTIONS)
    for name in ("learning_rates.png", "learning_rates.svg", "history.csv", "table.csv", "report.md"):
        assert (tmp_path / name).stat().st_size > 200
