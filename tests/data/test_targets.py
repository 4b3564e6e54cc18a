"""Targets of users: which kind they are, and what each kind allows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitsim.data.arrays import infer_kinds, read_targets
from circuitsim.errors import DataError, ParameterError


def read(y, kind=None):
    kinds = infer_kinds(y, kind, "y")
    return kinds, read_targets(y, kinds, "y", torch.float32)


@pytest.mark.parametrize(
    ("y", "kind", "dtype", "shape"),
    [
        (np.array([2, 0, 1], dtype=np.uint8), "classes", torch.int64, (3,)),
        (np.array([True, False, True]), "classes", torch.int64, (3,)),
        (np.array([[1, 0], [0, 1], [1, 1]]), "labels", torch.float32, (3, 2)),
        (np.array([[True], [False], [True]]), "labels", torch.float32, (3, 1)),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "values", torch.float32, (2, 2)),
    ],
)
def test_the_kind_follows_from_type_and_axes(y, kind, dtype, shape):
    found, target = read(y)
    assert (found, target.dtype, tuple(target.shape)) == (kind, dtype, shape)
    assert target.tolist() == y.astype(int).tolist()


def test_a_given_kind_wins():
    assert read([0.5, 1.5], "values")[1].tolist() == [[0.5], [1.5]]
    assert read([[0.0, 1.0]], "labels")[0] == "labels"
    assert read([[3, 4]], "values")[1].tolist() == [[3, 4]]


def test_each_objective_has_its_own_kind():
    kinds, targets = read({"what": [0, 1], "where": [[0.5], [0.25]], "tags": [[1, 0], [0, 0]]}, {"tags": "values"})
    assert kinds == {"what": "classes", "where": "values", "tags": "values"}
    assert targets["what"].dtype == torch.int64


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        ([0, 1, -1], None, "y holds class -1 at index 2; classes must count from 0"),
        ([0.0, 1.0], None, r"y is 1-D of dtype float64: for class labels pass integers \(y.astype\(int\)\)"),
        ([0.0, 1.0], "classes", "y has dtype float64; class labels must be integers"),
        ([[0], [3]], None, "y holds 3, but labels are 0 or 1: for one class per sample pass a 1-D y"),
        ([[0], [3]], "classes", r"y has shape \(2, 1\); class labels must be 1-D"),
        ([[0.5]], "labels", "y holds 0.5, but labels are 0 or 1"),
        (np.zeros((2, 2, 2)), None, r"y has shape \(2, 2, 2\); values must be \[sample, output\]"),
        (["cat", "dog"], None, r"y has dtype <U3; convert it to numbers .*: 'cat' at index \(0,\) is text; np.unique"),
        ([[1.0], [np.inf]], None, r"y holds 1 NaN or infinite values, the first \(inf\) at index \(1, 0\)"),
        ([], None, "y is empty"),
        ({"a": [0, 1], "b": [0, -2]}, None, r"y\['b'\] holds class -2 at index 1"),
    ],
)
def test_a_faulty_target_is_refused(y, kind, message):
    with pytest.raises(DataError, match=message):
        read(y, kind)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ParameterError, match=r"kind must be one of classes, labels, values \(got 'class'\)"):
        read([0, 1], "class")
    with pytest.raises(ParameterError, match=r"kind names \['c'\], which y does not hold \(it holds \['a'\]\)"):
        read({"a": [0, 1]}, {"c": "classes"})


def test_splits_must_hold_the_objectives_of_the_training_targets():
    with pytest.raises(
        DataError, match=r"must hold the objectives of the training targets, \['a', 'b'\] \(got \['a'\]\)"
    ):
        read_targets({"a": [0]}, {"a": "classes", "b": "classes"}, "test y", torch.float32)
    with pytest.raises(DataError, match=r"test y must be one array .* mapping with \['a'\]"):
        read_targets({"a": [0]}, "classes", "test y", torch.float32)
