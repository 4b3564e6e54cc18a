"""Table 1: all algorithms learn, and the paper's figures stand beside their own rows."""

import dataclasses

import pytest

from circuitsim.studies import benchmark_table as study
from circuitsim.studies.experiment import Options, write_report
from circuitsim.studies.trained import train
from circuitsim.studies.tuning import ALGORITHMS


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("table")
    options = Options(quick=True, progress=False, device="cpu", out=out)
    report = study.benchmark_table(options)
    write_report(report, out, options)
    return report, out


def test_every_algorithm_learns_digits(found):
    report, out = found
    table = report.table.set_index("algorithm")
    assert list(table.index) == [ALGORITHMS[name].label for name in study.ROWS] and len(table) == 8
    for split, least in (("train", 85), ("test", 85)):
        means = table[f"{split} accuracy, %"].str.split().str[0].astype(float)
        assert (means > least).all() and (means <= 100).all()
        assert means["SGD"] > means["feedback alignment"]
    assert (table["ran away"] == 0).all()
    assert set(report.histories[study.SGD].to_pandas().replica) == {0, 1}
    for name in ("table.csv", "report.md", "validation.png", "history.csv"):
        assert (out / name).stat().st_size > 100


def test_the_notes_hold_the_measured_difference_to_sgd(found):
    report, _ = found
    table = report.table.set_index("algorithm")["test accuracy, %"].str.split().str[0].astype(float)
    stated = float(report.notes.split("SAL (gated): ")[1].split(" against SGD")[0])
    assert stated == pytest.approx(table[study.GATED] - table[study.SGD], abs=0.011)
    assert "no figures for digits" in report.notes


def test_the_papers_figures_stand_at_the_rows_they_belong_to(found):
    report, _ = found
    assert (report.table["paper, %"] == "-").all()  # it has none for digits
    # Table 1, Fashion-MNIST: SGD / FA / WM / KP / SAL = 96.80 95.75 96.00 96.13 97.23
    paper = study.paper_figures("fashion_mnist")
    assert [paper[k] for k in (study.SGD, study.FA, study.WM, study.KP, study.GATED)] == [
        96.80, 95.75, 96.00, 96.13, 97.23
    ]  # fmt: skip
    assert set(paper) <= {ALGORITHMS[name].label for name in study.ROWS}


def test_the_figures_for_fashion_mnist_are_called_implausible(found):
    report, _ = found
    on = study.bench(Options(quick=True, epochs=1, progress=False, device="cpu"))
    runs = {ALGORITHMS[name].label: train(ALGORITHMS[name].make(on.layers), on) for name in study.ROWS}
    renamed = dataclasses.replace(on, data=dataclasses.replace(on.data, name="fashion_mnist"))
    notes = study._notes(runs, renamed)
    assert "not plausible" in notes and "In the paper SAL minus SGD: +0.43" in notes
    assert "not plausible" not in report.notes
