"""Pathway ablation: eight subsets and a linear model."""

import pytest
import torch

import circuitsim as cs
from circuitsim.studies.experiment import Options, write_report
from circuitsim.studies.pathway_ablation import only_plastic, pathway_ablation
from motifs import sal

OPTIONS = Options(quick=True, seeds=2, device="cpu", progress=False)
SUBSETS = ("W", "W V", "W Vt", "W Wt", "W V Vt", "W V Wt", "W Vt Wt", "W V Vt Wt")


@pytest.fixture(scope="module")
def report():
    return pathway_ablation(OPTIONS)


def test_there_is_a_row_for_each_subset_and_the_linear_model(report):
    assert set(report.table.plastic) == {*SUBSETS, "linear model"} and len(report.table) == 9
    assert (report.table["ran away"] == "0 of 2").all()


def test_all_four_beat_w_alone_and_the_linear_model_is_given_a_rate_that_works(report):
    mean = {row.plastic: float(row["test accuracy, %"].split()[0]) for _, row in report.table.iterrows()}
    assert mean["W V Vt Wt"] > mean["W"] + 5
    assert mean["W V Vt Wt"] > 80
    assert 85 < mean["linear model"] < 97  # digits are nearly linearly separable


def test_plastic_v_brings_the_cosine_with_the_gradient(report):
    cosine = {
        row.plastic: float(row["hidden cosine with the gradient"].split()[0])
        for _, row in report.table.iterrows()
        if row.plastic != "linear model"
    }
    with_v = [cosine[s] for s in SUBSETS if "V" in s.split()]
    without = [cosine[s] for s in SUBSETS if "V" not in s.split()]
    assert min(with_v) > max(without)


def test_vt_does_nothing_while_wt_is_frozen(report):
    for a, b in (("W", "W Vt"), ("W V", "W V Vt")):
        curves = [report.histories[s].curve("accuracy", "validation") for s in (a, b)]
        assert len(curves[0]) == 6 and curves[0].equals(curves[1])
    both = [report.histories[s].curve("accuracy", "validation") for s in ("W Wt", "W Vt Wt")]
    assert not both[0].equals(both[1])
    assert report.notes.count("identical") == 2 and "NOT identical" not in report.notes


@pytest.mark.parametrize("subset", [(), ("V",), ("Vt", "Wt"), ("V", "Vt", "Wt")])
def test_only_the_named_pathways_change(subset):
    circuit = cs.compile(only_plastic(sal([5, 4, 4, 3]), subset), device="cpu")
    before = {p.name: circuit.weights(p.name) for p in circuit.motif.projections}
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        circuit.step(torch.randn(8, 5, generator=generator), torch.arange(8) % 3)
    changed = {name for name, w in before.items() if not torch.equal(w, circuit.weights(name))}
    assert changed == {"W0", "W1", "W2", *(f"{kind}{layer}" for kind in subset for layer in (1, 2))}


def test_the_run_folder_holds_table_figure_and_histories(report, tmp_path):
    write_report(report, tmp_path, OPTIONS)
    for name in ("curves.png", "curves.svg", "history.csv", "table.csv", "report.md"):
        assert (tmp_path / name).stat().st_size > 300
    assert "W against linear model" in (tmp_path / "report.md").read_text()
