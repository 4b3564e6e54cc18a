"""Parity: every row learns, and the differences stated are those between the rows."""

import numpy as np
import pytest

from circuitsim.studies import parity as study
from circuitsim.studies.experiment import Options, write_report


def test_every_circuit_between_sal_and_sgd_learns_and_is_compared_with_both(tmp_path):
    options = Options(quick=True, epochs=10, progress=False, device="cpu", out=tmp_path)
    report = study.parity(options)
    write_report(report, tmp_path, options)
    table = report.table.set_index("circuit")
    assert list(table.index) == [row.label for row in study.HYPOTHESES]
    test = table["test accuracy, %"].str.split().str[0].astype(float)
    assert np.isfinite(test).all() and (test > 70).all() and (test <= 100).all()
    for label in table.index.drop(study.SGD):
        stated = next(line for line in report.notes.splitlines() if line.startswith(f"- {label} less {study.SGD}:"))
        assert float(stated.split(": ")[1].split()[0]) == pytest.approx(test[label] - test[study.SGD], abs=0.011)
    cosines = table["cosine with the gradient"].str.split("\n").str[0].str.split().str[0].astype(float)
    exact = [study.SGD, "SGD at SAL's eta and gamma"]
    assert (cosines[exact] == 1).all() and (cosines.drop(exact) < 0.99).all() and (cosines > 0.05).all()
    for name in ("validation.png", "table.csv", "report.md", "history.csv"):
        assert (tmp_path / name).stat().st_size > 100


def test_rows_can_be_run_by_themselves(tmp_path):
    row = study.HYPOTHESES[2]
    options = Options(quick=True, epochs=1, progress=False, device="cpu", out=tmp_path)
    report = study.parity(options, [row])
    assert list(report.table.circuit) == [study.SAL] and report.notes == ""
