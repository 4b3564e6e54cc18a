"""Figure 2: widths give the ratios asked for, and wider descending streams start nearer to an isometry."""

import numpy as np
import pytest

import circuitsim as cs
import feedback_width as study
from motifs import paper_sal
from tests.examples.run import assert_written, numbers, run


@pytest.mark.parametrize("layers", [[64, 32, 32, 10], [784, 200, 200, 200, 10], [20, 30, 5]])
@pytest.mark.parametrize("ratio", [0.5, 3.0, 10.0])
def test_the_width_gives_the_ratio_and_the_counts_are_those_of_the_circuit(layers, ratio):
    m = study.width_for(layers, ratio)
    counts = study.counts(layers, m)
    assert counts["Wt"] / counts["W"] == pytest.approx(ratio, rel=0.05)
    motif = paper_sal(layers, [m] * (len(layers) - 2))
    size = {p.name: p.size for p in motif.populations}
    found = {"W": 0, "Wt": 0, "V": 0}
    for p in motif.projections:
        kind = p.name.rstrip("0123456789")
        if p.is_plastic:
            found["V" if kind == "Vt" else kind] += size[p.pre] * size[p.post]
    assert found == counts


def test_isometry_is_the_spectrum_of_the_product_of_feedback_weights():
    circuit = cs.compile(paper_sal([6, 9, 8, 3], [12, 11]), replicas=2, dtype="float64", device="cpu")
    found = study.isometry(circuit)
    for r in range(2):
        top = circuit.weights("Wt2")[r].numpy()
        lowest = circuit.weights("Wt1")[r].numpy() @ top
        for place, matrix in (("top", top), ("lowest", lowest)):
            squares = np.linalg.svd(matrix, compute_uv=False) ** 2
            np.testing.assert_allclose([ends[r] for ends in found[place]], [squares.min(), squares.max()], rtol=1e-10)


def test_wider_streams_are_nearer_to_an_isometry_and_all_but_relu_learn(tmp_path):
    found = run(study.FeedbackWidth, tmp_path, epochs=12)
    table = found.table()
    assert list(table["circuit"].unique()) == list(study.CIRCUITS) and len(table) == 18
    ratios = table["Wt / W"].astype(float).to_numpy()[:3]
    np.testing.assert_allclose(ratios, study.QUICK_RATIOS, rtol=0.05)
    ends = np.array([cell.split(" to ") for cell in table["eigenvalues of AᵀA, top"][:3]], dtype=float)
    band = np.array([cell.split(" to ") for cell in table["(1 ± √(n/m))²"][:3]], dtype=float)
    assert (np.diff(ends[:, 1] - ends[:, 0]) < 0).all()
    assert (ends[:, 0] > band[:, 0] - 0.15).all() and (ends[:, 1] < band[:, 1] + 0.15).all()
    test = numbers(table.set_index(["circuit", "m"]), "test accuracy, %")
    assert all(test[name].min() > 88 for name in ("linear", "tanh", "paper, linear", "paper, tanh"))
    for descending, rows in table.groupby("circuit"):
        score = numbers(rows, "validation accuracy, %")
        line = next(line for line in found.notes().splitlines() if line.startswith(f"- {descending}:"))
        assert float(line.split(": ")[1].split()[0]) in rows[score == score.max()]["Wt / W"].astype(float).to_list()
    assert_written(tmp_path, "accuracy.png", "isometry.svg")


def test_the_trend_is_the_slope_of_each_seed_and_leaves_out_lost_seeds():
    # two seeds on lines of slopes 1 and 3 a doubling; a third is lost at one width
    values = [np.array([1.0, 10.0, 5.0]), np.array([2.0, 13.0, np.nan]), np.array([3.0, 16.0, 6.0])]
    text = study.trend([100, 200, 400], values)
    assert text == "2.00 ± 1.41 points with each doubling of Wt; means from 5.50 to 9.50 %, 5.50 % at the narrowest"
    assert study.trend([1, 2], [np.array([np.nan]), np.array([1.0])]) == "no seed survived at every width"
