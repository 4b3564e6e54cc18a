"""The theory's claims, measured in quick mode; each number that must hold has a counterpart that must not."""

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from circuitsim.studies.experiment import Options, write_report
from circuitsim.studies.lemma import gap_norm, overshoot
from circuitsim.studies.theory import theory, top_share
from motifs import sal

OPTIONS = Options(quick=True, epochs=12, seeds=2, device="cpu", progress=False)


@pytest.fixture(scope="module")
def report():
    return theory(OPTIONS)


def gap(report, circuit, site):
    table = report.histories[f"lemma: {circuit}"].to_pandas()
    table = table[(table.metric == "gap") & (table.site == site)]
    return table.pivot_table(index="step", columns="replica", values="value", aggfunc="last")


def final(report, circuit, metric, sites=("W0", "W1")):
    table = report.histories[circuit].to_pandas()
    table = table[(table.metric == metric) & table.site.isin(sites)]
    return table[table.step == table.step.max()].groupby("replica").value.mean()


@pytest.mark.parametrize("circuit", ["l2", "l2, shuffled error"])
@pytest.mark.parametrize("site", ["V1", "V2"])
def test_the_gap_is_on_its_predicted_line_after_every_step(report, circuit, site):
    found = gap(report, circuit, site)
    n = found.index.to_numpy()
    assert len(n) > 100 and found.shape[1] == 2
    line = (1 - 0.13 * 1.7 * 0.01) ** n  # eta, eta_V / eta, gamma
    np.testing.assert_allclose(found.to_numpy(), np.column_stack([line, line]), rtol=1e-6)
    assert found.iloc[-1].max() < 0.9


@pytest.mark.parametrize("circuit", ["homeostatic", "l1"])
def test_under_other_convex_regularizers_the_gap_shrinks_at_every_step_and_faster(report, circuit):
    for site in ("V1", "V2"):
        found = gap(report, circuit, site)
        assert (found.diff().iloc[1:] < 0).all(axis=None)
        assert (found.iloc[-1] < 0.95 * gap(report, "l2", site).iloc[-1]).all()


def test_what_l1_overshoots_zero_by_is_bounded():
    gamma, eta_V = 0.05, 0.15
    circuit = cs.compile(
        sal([6, 8, 5], regularizer="l1", eta=0.2, eta_V=eta_V / 0.2, gamma=gamma, gain_V=0.02),
        replicas=2,
        dtype="float64",
        device="cpu",
    )
    last, rises = gap_norm(circuit, "V1", "Vt1"), []
    rng = np.random.default_rng(0)
    for _ in range(100):
        circuit.step(rng.standard_normal((16, 6)), rng.integers(0, 5, 16))
        now = gap_norm(circuit, "V1", "Vt1")
        rises.append(now - last)
        last = now
    assert overshoot(circuit, "V1") == pytest.approx(2 * eta_V * gamma * 8)  # 8 x 8 synapses
    assert 0 < np.max(rises) <= overshoot(circuit, "V1")


def test_cosines_of_sal_rise_above_both_controls(report):
    for metric in ("gradient_cosine", "stationarity_cosine"):
        assembled = final(report, "SAL", metric)
        for control in ("control: feedback frozen at random", "control: shuffled error"):
            other = final(report, control, metric)
            assert len(assembled) == len(other) == 2
            # on digits, frozen feedback at its own best rates is not told from it by the gradient (docs/results.md);
            # on Fashion-MNIST it is: tests/studies/test_fashion_mnist.py
            if metric == "stationarity_cosine" or "shuffled" in control:
                assert (assembled > other + 0.1).all(), (metric, control)


def test_direct_feedback_is_exact_where_wt_is_frozen_and_only_there(report):
    table = report.table
    error = table[table.claim.isin(["|V - K A^T| / |V|", "|I_V - K A^T A e| / |I_V|"])]
    error = error.assign(number=error.measured.astype(float))
    exact = error[error.circuit.isin(["Wt frozen", "Wt frozen, shuffled error"])]
    assert len(exact) == 8 and exact.number.max() < 1e-10
    assert error[error.circuit == "Wt plastic"].number.min() > 0.01


def test_learning_concentrates_v_in_as_many_directions_as_there_are_outputs(report):
    rows = report.table[report.table.claim == "share of the largest 10 in the trace"]
    share = {(row.circuit, row.site): float(row.measured.split()[0]) for row in rows.itertuples()}
    for site in ("V1", "V2"):
        assert 1 >= share["SAL", site] > share["control: feedback frozen at random", site] + 0.1


def test_the_share_of_the_largest_eigenvalues_is_taken_from_the_upper_end():
    assert top_share(np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 5.0]]), 2) == pytest.approx([0.7, 1.0])


def test_the_run_folder_holds_table_figures_and_histories(report, tmp_path):
    write_report(report, tmp_path, OPTIONS)
    for name in ("lemma_V1.png", "lemma_V2.svg", "self_assembly.png", "eigenvalues.png", "report.md"):
        assert (tmp_path / name).stat().st_size > 500
    assert {"SAL", "lemma: l2"} <= set(pd.read_csv(tmp_path / "history.csv").circuit)
    assert "Lemma 1" in (tmp_path / "report.md").read_text()
