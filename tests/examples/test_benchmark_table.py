"""Table 1: all algorithms learn, and the paper's figures stand beside their own rows."""

import dataclasses

import pytest

import benchmark_table as study
from support.algorithms import ALGORITHMS
from tests.examples.run import assert_written, numbers, run


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return run(study.BenchmarkTable, tmp_path_factory.mktemp("table"))


def test_every_algorithm_learns_digits(found):
    table = found.table().set_index("circuit")
    assert list(table.index) == [ALGORITHMS[name].label for name in study.ROWS] and len(table) == 9
    for split in ("train", "test"):
        means = numbers(table, f"{split} accuracy, %")
        assert (means > 85).all() and (means <= 100).all()
        assert means["SGD"] > means["feedback alignment"]
    assert (table["ran away"] == "0 of 2").all()
    assert set(found.histories[study.SGD].to_pandas().replica) == {0, 1}
    assert_written(found.setup.out, "validation.png")


def test_the_notes_hold_the_measured_difference_to_sgd(found):
    mean = numbers(found.table().set_index("circuit"), "test accuracy, %")
    stated = float(found.notes().split(f"{study.GATED}: ")[1].split(" against SGD")[0])
    assert stated == pytest.approx(mean[study.GATED] - mean[study.SGD], abs=0.011)
    assert "no figures for digits" in found.notes() and (found.table()["paper, %"] == "-").all()


def test_the_papers_figures_stand_at_the_rows_they_belong_to_and_the_implausible_are_called_so(found):
    # Table 1, Fashion-MNIST: SGD / FA / WM / KP / SAL = 96.80 95.75 96.00 96.13 97.23
    paper = study.paper_figures("fashion_mnist")
    order = (study.SGD, study.FA, study.WM, study.KP, study.GATED)
    assert [paper[k] for k in order] == [96.80, 95.75, 96.00, 96.13, 97.23]
    # the results are those of digits, under another name
    other = study.BenchmarkTable(
        dataclasses.replace(found.setup, dataset="fashion_mnist", load=lambda name, folder: found.setup.data)
    )
    other.results = found.results
    assert list(other.table()["paper, %"]) == [f"{paper[k]:.2f}" if k in paper else "-" for k in found.results]
    assert "not plausible" in other.notes() and "In the paper SAL minus SGD: +0.43" in other.notes()
