"""Dataset.from_arrays: splits that fit each other."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from circuitsim.data import Dataset
from circuitsim.errors import DataError, ParameterError, UnscaledInputWarning

X = np.arange(80.0).reshape(20, 2, 2)
Y = np.arange(20) % 4


def test_arrays_alone_give_a_training_split():
    data = Dataset.from_arrays(X, Y)
    assert torch.isfinite(data.train.x).all()
    assert (data.n_features, data.n_outputs, data.kind, data.name) == (4, 4, "classes", "arrays")
    assert list(data.splits) == ["train"]
    assert data.train.x.tolist() == X.reshape(20, 4).tolist()
    assert data.train.target.tolist() == Y.tolist()


def test_a_fraction_is_held_out_in_the_proportions_of_the_classes():
    data = Dataset.from_arrays(X, Y, validation=0.2)
    assert (len(data.train), len(data.validation)) == (16, 4)
    assert data.validation.target.bincount().tolist() == [1, 1, 1, 1]
    rows = data.train.x[:, 0].tolist() + data.validation.x[:, 0].tolist()
    assert sorted(rows) == X[:, 0, 0].tolist()


def test_the_seed_draws_the_fraction():
    held = [Dataset.from_arrays(X, Y, validation=0.2, seed=s).validation.x[:, 0].tolist() for s in (0, 0, 1)]
    assert held[0] == held[1]
    assert held[0] != held[2]


def test_pairs_become_validation_and_test():
    data = Dataset.from_arrays(X, Y, validation=(X[:5], Y[:5]), test=(X[:3], Y[:3]), name="mine")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 20, "validation": 5, "test": 3}
    assert repr(data) == "Dataset('mine', kind='classes', n_features=4, n_outputs=4, train=20, validation=5, test=3)"


def test_inputs_and_targets_may_be_mappings():
    data = Dataset.from_arrays({"a": X, "b": Y}, {"class": Y, "value": X[:, 0]}, validation=0.25)
    assert data.n_features == {"a": 4, "b": 1}
    assert data.n_outputs == {"class": 4, "value": 2}
    assert data.kind == {"class": "classes", "value": "values"}
    assert (len(data.train), len(data.validation)) == (15, 5)
    assert torch.equal(data.train.x["b"][:, 0].long(), data.train.target["class"])


def test_n_outputs_adds_classes_that_training_lacks():
    assert Dataset.from_arrays(X, Y, test=(X[:1], [6]), n_outputs=7).n_outputs == 7
    assert Dataset.from_arrays(X, {"a": Y, "b": Y + 1}, n_outputs={"b": 5}).n_outputs == {"a": 4, "b": 5}
    assert Dataset.from_arrays(X, Y + 1, n_outputs=5).n_outputs == 5


def test_pixels_are_said_to_reach_255():
    pixels = np.arange(80, dtype=np.uint8).reshape(20, 4) + np.uint8(176)
    for x in (pixels, pixels.astype(float), torch.tensor(pixels), {"image": pixels}):
        message = r"x.* reaches 255, .* divide it by 255, or standardise it"
        with pytest.warns(UnscaledInputWarning, match=message) as caught:
            Dataset.from_arrays(x, Y)
        assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UnscaledInputWarning, match="reaches 254"):
        Dataset.from_arrays(pixels - 1, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (pixels / 255, pixels // 4, pixels.astype(float) - 255, pixels.astype(float) * 2):
            Dataset.from_arrays(x, Y)


def test_dtype_applies_to_inputs_and_values():
    data = Dataset.from_arrays([[1 / 3]], [[1 / 7]], dtype=torch.float64)
    assert (data.train.x.item(), data.train.target.item()) == (1 / 3, 1 / 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": Y[:19]}, "train: inputs and targets must have the same number of samples, but x has 20, y has 19"),
        ({"test": (X, Y[:3])}, "test: inputs .* x has 20, y has 3"),
        ({"test": (X[:, 0], Y)}, "test x has 2 features per sample, but the training split has 4"),
        ({"validation": (X[:, :1], Y)}, "validation x has 2 features per sample"),
        ({"test": ({"a": X}, Y)}, r"test has inputs \[\"x\['a'\]\"\], but the training split has \['x'\]"),
        ({"test": (X, Y + 1)}, "test y holds class 4 at index 3, but the classes are 0 to 3"),
        ({"n_outputs": 3}, "train y holds class 3 at index 3, but the classes are 0 to 2"),
        ({"y": Y + 1}, "y holds the classes 1 to 4, but classes count from 0: pass y - 1, or n_outputs=5"),
        (
            {"y": np.where(Y == 1, 7, Y)},
            "y holds class 7 at index 1, but only 4 different classes .4 have no sample, the",
        ),
        ({"y": Y * (Y != 2)}, "the first is class 2.: correct the label, number the classes anew with np.unique"),
        ({"y": np.where(np.arange(20) == 3, 7 * 10**17, Y)}, "y holds class 700,000,000,000,000,000 at index 3"),
        ({"y": Y.astype(np.uint64) - np.uint64(1)}, "y holds class 18,446,744,073,709,551,615 at index 0"),
        ({"y": {"o": Y + 1}}, r"y\['o'\] holds the classes 1 to 4"),
        ({"y": np.eye(4)[Y], "kind": "classes"}, r"y has dtype float64; class labels"),
        ({"y": np.eye(4, dtype=int)[Y], "kind": "classes"}, r"for one-hot vectors pass y.argmax\(1\)"),
        ({"y": X[:, 0], "test": (X, X[:, 0, :1])}, "test y has 1 columns, but the training split has 2"),
        ({"test": (X, Y.astype(float))}, "test y has dtype float64; class labels must be integers"),
        ({"test": (X * np.nan, Y)}, "test x holds 80 NaN"),
        ({"validation": np.float32(0.01)}, "cannot hold out 0 of 20 samples"),
        ({"validation": 0.01}, "cannot hold out 0 of 20 samples"),
        ({"validation": 0.1}, "cannot hold out 2 of 20 samples with every class in both parts"),
    ],
)
def test_data_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(**{"x": X, "y": Y} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": 1.5}, r"validation must be between 0 and 1, a pair \(x, y\) or None \(got 1.5\)"),
        ({"validation": 0}, r"validation must be .* \(got 0\)"),
        ({"validation": X}, r"validation must be a pair \(x, y\) \(got a ndarray\)"),
        ({"test": (X,)}, r"test must be a pair \(x, y\)"),
        ({"test": 0.2}, r"test must be a pair \(x, y\) \(got a float\)"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"dtype": torch.int32}, r"dtype must be a floating type such as torch.float32 \(got torch.int32\)"),
        ({"sequences": "yes"}, r"sequences must be True or False \(got 'yes'\)"),
        ({"n_outputs": 0}, "n_outputs must be a whole number, 1 or more"),
        ({"y": X[:, 0], "n_outputs": 3}, "n_outputs is 3, but y has 2 columns"),
        ({"y": {"o": Y}, "n_outputs": 3}, "n_outputs must be a mapping where y is a mapping"),
        ({"y": {"o": Y}, "n_outputs": {"p": 3}}, r"n_outputs names \['p'\], which y does not hold"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Dataset.from_arrays(**{"x": X, "y": Y} | arguments)


def test_sequences_keep_their_axis_of_time():
    x, random = np.arange(48.0).reshape(4, 3, 2, 2), np.random.default_rng(0)
    flat = Dataset.from_arrays(x, [0, 1, 0, 1])
    assert flat.train.x.shape == (4, 12)
    for y, kind, n_outputs, shape in (
        ([0, 1, 0, 1], "classes", 2, (4,)),
        (np.arange(12).reshape(4, 3) % 2, "classes", 2, (4, 3)),
        (random.random((4, 2)) < 0.5, "labels", 2, (4, 2)),
        (random.integers(2, size=(4, 3, 5)), "labels", 5, (4, 3, 5)),
        (random.normal(size=(4, 5)), "values", 5, (4, 5)),
        (random.normal(size=(4, 3, 5)), "values", 5, (4, 3, 5)),
    ):
        data = Dataset.from_arrays(x, y, sequences=True)
        np.testing.assert_array_equal(data.train.x, x.reshape(4, 3, 4))
        assert (data.kind, data.n_outputs, data.n_features) == (kind, n_outputs, 4)
        assert data.train.target.shape == shape
    both = Dataset.from_arrays({"x": x, "c": np.ones((4, 6))}, [0, 1, 0, 1], sequences=True).train.x
    assert both["x"].shape == (4, 3, 4) and both["c"].shape == (4, 6)


def test_faults_of_sequences_are_told_by_their_place():
    x, y = np.ones((2, 3, 4)), np.array([[0, 1, 1], [0, 7, 1]])
    with pytest.raises(DataError, match=r"y holds class 7 at index \(1, 1\), but only 3 different classes"):
        Dataset.from_arrays(x, y, sequences=True)
    with pytest.raises(DataError, match=r"y holds class -1 at index \(0, 0\)"):
        Dataset.from_arrays(x, y - 1, sequences=True)
    with pytest.raises(DataError, match=r"values must be \[sample, output\] or \[sample, time, output\]"):
        Dataset.from_arrays(x, np.ones((2, 3, 4, 5)), sequences=True)
    with pytest.raises(DataError, match="test x has 5 features per sample, but the training split has 4"):
        Dataset.from_arrays(x, y % 2, test=(np.ones((2, 9, 5)), y % 2), sequences=True)
