"""Parity: every row learns, and the differences stated are those between the rows."""

import numpy as np
import pytest

import parity as study
from tests.examples.run import assert_written, numbers, run


def test_every_circuit_between_sal_and_sgd_learns_and_is_compared_with_both(tmp_path):
    found = run(study.Parity, tmp_path, epochs=10)
    table, notes = found.table().set_index("circuit"), found.notes().splitlines()
    assert list(table.index) == [row.label for row in study.HYPOTHESES]
    test = numbers(table, "test accuracy, %")
    assert np.isfinite(test).all() and (test > 70).all() and (test <= 100).all()
    for label in table.index.drop(study.SGD):
        stated = next(line for line in notes if line.startswith(f"- {label} minus {study.SGD}:"))
        assert float(stated.split(": ")[1].split()[0]) == pytest.approx(test[label] - test[study.SGD], abs=0.011)
    cosines = numbers(table, "cosine with the gradient")
    exact = [study.SGD, "SGD at SAL's eta and gamma"]
    assert (cosines[exact] == 1).all() and (cosines.drop(exact) < 0.99).all() and (cosines > 0.05).all()
    assert_written(tmp_path, "validation.png")
