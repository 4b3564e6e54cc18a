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
    with pytest.raises(cs.ParameterError, match=r"no metric 'lost' \(known: \['loss'\]\)"):
        history.curve("lost")
    with pytest.raises(
        cs.ParameterError,
        match=r"no 'loss' with split='train', .*splits \['test'\], sites \['W0'\]",
    ):
        history.final("loss", "train")


def test_what_is_saved_is_read_back_to_the_last_digit(history, tmp_path):
    history.add(step=1, epoch=0.1, split="probe", metric="norm", values=[1 / 3])
    read = cs.History.load(history.save(tmp_path / "folder" / "history.csv")).to_pandas()
    assert list(read.columns) == [*COLUMNS, "runaway"]
    assert read.equals(history.to_pandas())


def test_replicas_that_ran_away_are_marked_in_the_table_and_in_its_file_and_have_no_final_value(history, tmp_path):
    history.add(step=0, epoch=0, split="test", metric="accuracy", values=[0.5, 0.25])
    history.mark_runaway({"replica": 0, "step": 5, "projection": "W0", "reason": "too large"})
    for found in (history, cs.History.load(history.save(tmp_path / "history.csv"))):
        table = found.to_pandas()
        assert table.runaway.dtype == bool and list(table.runaway) == list(table.replica == 0) and len(table) == 8
        assert found.ran_away == [0] and np.isfinite(table.value[table.replica == 0]).all()
        np.testing.assert_array_equal(found.final("accuracy"), [np.nan, 0.25])
        assert found.curve("loss")[0].isna().all()


def test_a_file_without_the_column_has_no_runaways(history, tmp_path):
    path = history.save(tmp_path / "history.csv")
    table = history.to_pandas().drop(columns="runaway")
    table.to_csv(path, index=False)
    assert cs.History.load(path).ran_away == [] and cs.History.load(path).varied == {}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("runaway", "yes", "column 'runaway' must hold True or False"),
        ("runaway", "", "column 'runaway' must hold True or False"),
        ("runaway", 1, "column 'runaway' must hold True or False"),
        ("replica", 0.5, "column 'replica' must hold whole numbers"),
        ("step", "one", "column 'step' must hold numbers"),
        ("W0.eta", "fast", "column 'W0.eta' must hold numbers"),
        ("circuit", "sal", "column 'circuit' must hold numbers"),
    ],
)
def test_a_column_of_another_kind_is_refused(history, tmp_path, column, value, message):
    path = tmp_path / "history.csv"
    history.to_pandas().assign(**{column: value}).to_csv(path, index=False)
    with pytest.raises(cs.ArchiveError) as caught:
        cs.History.load(path)
    assert str(caught.value) == f"{path}: not the table of a history ({message})"


def test_an_empty_table_is_an_empty_history(tmp_path):
    loaded = cs.History.load(cs.History().save(tmp_path / "history.csv"))
    assert loaded.rows == []
    kinds = loaded.to_pandas().dtypes
    assert "".join(kinds[name].kind for name in ("step", "epoch", "replica", "value")) == "ifif"


def test_records_and_runaways_are_kept_beside_the_table(history):
    history.record("weights", 5, "anything")
    history.mark_runaway({"replica": 1, "step": 5, "projection": "W0", "reason": "too large"})
    assert history.records == {"weights": [(5, "anything")]} and history.runaways[0]["projection"] == "W0"
    assert repr(history) == "History(6 rows: test loss; 1 runaways)"


def test_one_curve_is_of_one_split_and_one_site():
    history = cs.History()
    for split, site, value in (("train", "", 1.0), ("test", "", 2.0), ("probe", "W0", 3.0)):
        history.add(step=1, epoch=1.0, split=split, metric="loss" if site == "" else "norm", values=[value], site=site)
    with pytest.raises(cs.ParameterError, match=r"'loss' was measured at splits \['test', 'train'\]: choose one"):
        history.curve("loss")
    assert history.final("loss", "test").tolist() == [2.0] and history.final("norm").tolist() == [3.0]
    history.add(step=1, epoch=1.0, split="probe", metric="norm", values=[4.0], site="W1")
    with pytest.raises(cs.ParameterError, match=r"'norm' was measured at sites \['W0', 'W1'\]: choose one, site="):
        history.final("norm")
    assert history.final("norm", site="W1").tolist() == [4.0]


@pytest.mark.parametrize("values", [["a"], [[1.0, 2.0]], [1j]])
def test_values_are_numbers_of_replicas(values):
    history = cs.History()
    with pytest.raises(cs.ParameterError, match="values of 'loss' must be numbers"):
        history.add(step=1, epoch=1.0, split="test", metric="loss", values=values)
    assert not history.rows
