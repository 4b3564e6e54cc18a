"""A history is a tidy table: one number per row, read back as written, asked by name."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.history import COLUMNS


@pytest.fixture
def history() -> cs.History:
    found = cs.History()
    for epoch in range(3):
        found.add(step=10 * epoch, epoch=epoch, split="test", metric="loss", values=[1.0 - epoch, np.nan], site="W0")
    return found


def test_a_curve_has_a_row_per_epoch_and_a_column_per_replica(history):
    curve = history.curve("loss", "test", "W0")
    assert list(curve.index) == [0, 1, 2] and list(curve[0]) == [1.0, 0.0, -1.0]


def test_a_replica_that_is_nan_throughout_keeps_its_place(history):
    assert np.array_equal(history.final("loss"), [-1.0, np.nan], equal_nan=True)


def test_an_unknown_metric_is_told_with_the_known_ones(history):
    with pytest.raises(KeyError, match=r"no metric 'lost'.*known: \['loss'\]"):
        history.curve("lost")
    with pytest.raises(KeyError, match="split='train'"):
        history.final("loss", "train")


def test_what_is_saved_is_read_back_to_the_last_digit(history, tmp_path):
    history.add(step=1, epoch=0.1, split="probe", metric="norm", values=[1 / 3])
    read = cs.History.load(history.save(tmp_path / "folder" / "history.csv")).to_pandas()
    assert list(read.columns) == list(COLUMNS)
    assert read.equals(history.to_pandas())


def test_records_and_runaways_are_kept_beside_the_table(history):
    history.record("weights", 5, "anything")
    history.mark_runaway({"replica": 1, "step": 5, "projection": "W0", "reason": "too large"})
    assert history.records == {"weights": [(5, "anything")]} and history.runaways[0]["projection"] == "W0"
    assert repr(history) == "History(6 rows: test loss; 1 runaways)"
