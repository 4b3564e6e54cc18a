"""Figure 2: widths give the ratios asked for, and wider descending streams start nearer to an isometry."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.studies import feedback_width as study
from circuitsim.studies.experiment import Options, write_report
from motifs import sal


@pytest.mark.parametrize("layers", [[64, 32, 32, 10], [784, 200, 200, 200, 10], [20, 30, 5]])
@pytest.mark.parametrize("ratio", [0.5, 3.0, 10.0])
def test_the_width_gives_the_ratio_and_the_counts_are_those_of_the_circuit(layers, ratio):
    m = study.width_for(layers, ratio)
    counts = study.counts(layers, m)
    assert counts["Wt"] / counts["W"] == pytest.approx(ratio, rel=0.05)
    motif = sal(layers, [m] * (len(layers) - 2))
    size = {p.name: p.size for p in motif.populations}
    found = {"W": 0, "Wt": 0, "V": 0}
    for p in motif.projections:
        kind = p.name.rstrip("0123456789")
        if p.is_plastic:
            found["V" if kind == "Vt" else kind] += size[p.pre] * size[p.post]
    assert found == counts


def test_isometry_is_the_spectrum_of_the_product_of_feedback_weights():
    circuit = cs.compile(sal([6, 9, 8, 3], [12, 11]), replicas=2, dtype="float64", device="cpu")
    found = study.isometry(circuit)
    for r in range(2):
        top = circuit.weights("Wt2")[r].numpy()
        lowest = circuit.weights("Wt1")[r].numpy() @ top
        for place, matrix in (("top", top), ("lowest", lowest)):
            squares = np.linalg.svd(matrix, compute_uv=False) ** 2
            np.testing.assert_allclose([ends[r] for ends in found[place]], [squares.min(), squares.max()], rtol=1e-10)


def test_wider_streams_are_nearer_to_an_isometry_and_all_but_relu_learn(tmp_path):
    options = Options(quick=True, progress=False, device="cpu", out=tmp_path)
    report = study.feedback_width(options)
    write_report(report, tmp_path, options)
    table = report.table
    assert list(table["Dt"].unique()) == ["linear", "relu", "tanh"] and len(table) == 9
    ratios = table["Wt / W"].astype(float).to_numpy()[:3]
    np.testing.assert_allclose(ratios, study.QUICK_RATIOS, rtol=0.05)
    ends = np.array([cell.split(" to ") for cell in table["eigenvalues of AᵀA, top"][:3]], dtype=float)
    band = np.array([cell.split(" to ") for cell in table["(1 ± √(n/m))²"][:3]], dtype=float)
    assert (np.diff(ends[:, 1] - ends[:, 0]) < 0).all()
    assert (ends[:, 0] > band[:, 0] - 0.15).all() and (ends[:, 1] < band[:, 1] + 0.15).all()
    test = table.set_index(["Dt", "m"])["test accuracy, %"].str.split().str[0].astype(float)
    assert test["linear"].min() > 88 and test["tanh"].min() > 88
    for name in ("accuracy.png", "isometry.svg", "table.csv", "report.md"):
        assert (tmp_path / name).stat().st_size > 100


def test_the_notes_name_the_ratio_that_is_best_on_validation(tmp_path):
    report = study.feedback_width(Options(quick=True, epochs=2, progress=False, device="cpu", out=tmp_path))
    for descending, rows in report.table.groupby("Dt"):
        score = rows["validation accuracy, %"].str.split().str[0].astype(float)
        line = next(line for line in report.notes.splitlines() if line.startswith(f"- {descending}"))
        assert float(line.split(": ")[1].split()[0]) in rows[score == score.max()]["Wt / W"].astype(float).to_list()


def test_the_trend_is_the_slope_of_each_seed_and_leaves_out_lost_seeds():
    # two seeds on lines of slopes 1 and 3 a doubling; a third is lost at one width
    values = [np.array([1.0, 10.0, 5.0]), np.array([2.0, 13.0, np.nan]), np.array([3.0, 16.0, 6.0])]
    text = study.trend([100, 200, 400], values)
    assert text == "2.00 ± 1.41 points with each doubling of Wt; means from 5.50 to 9.50 %, 5.50 % at the narrowest"
    assert study.trend([1, 2], [np.array([np.nan]), np.array([1.0])]) == "no seed is whole at every width"
