"""Tables with labels: samples and features are matched by label, or refused."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import circuitsim as cs

X = pd.DataFrame(np.random.default_rng(0).standard_normal((6, 3)), index=list("uvwxyz"), columns=["a", "b", "c"])
Y = pd.Series([0, 1, 2, 0, 1, 2], index=X.index)


def test_columns_are_brought_into_the_order_of_the_training_split():
    data = cs.Dataset.from_arrays(X, Y, test=(X[["c", "a", "b"]], Y), validation=(X.to_numpy(), Y.to_numpy()))
    assert torch.equal(data.test.x, data.train.x) and torch.equal(data.validation.x, data.train.x)
    y = pd.DataFrame({"p": [0.0, 1.0], "q": [2.0, 3.0]}, X.index[:2])
    test = {"x": X[:2][["b", "c", "a"]]}, {"y": y[["q", "p"]]}
    both = cs.Dataset.from_arrays({"x": X[:2]}, {"y": y}, test=test)
    assert torch.equal(both.test.x["x"], both.train.x["x"])
    assert torch.equal(both.test.target["y"], both.train.target["y"])


def test_other_columns_than_those_of_the_training_split_are_refused():
    with pytest.raises(cs.DataError, match="test x lacks 2 columns of the training split, the first is 'a' .it"):
        cs.Dataset.from_arrays(X, Y, test=(X.rename(columns={"a": "A", "c": "C"}), Y))


def test_numbers_are_labels_if_both_splits_have_the_same():
    x = X.set_axis(range(3), axis=1)
    for order in ([2, 0, 1], [1, 0, 2]):
        assert torch.equal(from_splits(x, x[order]), from_splits(x, x))
        assert torch.equal(from_splits(x[order], x), torch.tensor(x[order].to_numpy(), dtype=torch.float32))
    for other in (X, x.set_axis([1, 2, 3], axis=1)):  # one of the two has no names
        assert torch.equal(from_splits(x, other), from_splits(x, x))
        assert torch.equal(from_splits(other, x), from_splits(x, x))


def from_splits(train: pd.DataFrame, test: pd.DataFrame) -> torch.Tensor:
    return cs.Dataset.from_arrays(train, Y, test=(test, Y)).test.x


def test_a_label_that_stands_twice_matches_only_in_its_place():
    twice = X.set_axis(["a", "a", "b"], axis=1)
    assert torch.equal(from_splits(twice, twice), from_splits(X, X))
    with pytest.raises(cs.DataError, match=r"test x has the columns of the training split .* have the same label"):
        from_splits(twice, twice.iloc[:, [2, 0, 1]])
    with pytest.raises(cs.DataError, match="test x lacks 1 columns of the training split, the first is 'a'"):
        from_splits(twice, X.set_axis(["a", "b", "b"], axis=1))


def test_rows_that_differ_between_x_and_y_are_refused():
    with pytest.raises(cs.DataError) as caught:
        cs.Dataset.from_arrays(X, Y.iloc[[0, 2, 1, 3, 4, 5]])
    assert str(caught.value) == (
        "train: the rows of y and x have different labels, at row 1 for example ('w' and 'v'): match them with "
        "y.loc[x.index], or pass y.to_numpy() if they match already, row by row"
    )
    shuffled = Y.iloc[::-1]
    assert cs.Dataset.from_arrays(X, shuffled.loc[X.index]).train.target.tolist() == Y.tolist()
    assert cs.Dataset.from_arrays(X, shuffled.to_numpy()).train.target.tolist() == Y.tolist()[::-1]
    with pytest.raises(cs.DataError, match=r"test: the rows of x\['b'\] and x\['a'\] have different labels"):
        cs.Dataset.from_arrays({"a": X, "b": X}, Y, test=({"a": X, "b": X[::-1]}, Y))


@pytest.mark.parametrize(
    "x",
    [
        sp.csr_matrix(X),
        sp.coo_array(X),
        torch.tensor(X.to_numpy()).to_sparse(),
        np.ma.array(X.to_numpy(), mask=False),
        X.astype("Float64"),
        X.astype({"a": "Float64"}),
        pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X), columns=X.columns),
    ],
    ids=["csr", "coo", "torch", "masked nowhere", "nullable", "mixed", "sparse frame"],
)
def test_arrays_of_other_kinds_hold_the_same_numbers(x):
    data = cs.Dataset.from_arrays(x, Y.to_numpy(), dtype=torch.float64)
    np.testing.assert_array_equal(data.train.x, X)


def test_masked_and_blank_entries_are_refused_with_the_first():
    masked = np.ma.masked_greater(X.to_numpy(), 0.0)
    first = tuple(map(int, np.argwhere(masked.mask)[0]))
    with pytest.raises(cs.DataError) as caught:
        cs.Dataset.from_arrays(masked, Y)
    assert str(caught.value).startswith(
        f"x: {masked.mask.sum()} of 18 entries are masked, the first at index {first}: "
    )
    with pytest.raises(cs.DataError, match=r"y: 1 of 6 entries is masked, the first at index \(1,\)"):
        cs.Dataset.from_arrays(X, np.ma.masked_equal([0, 9, 1, 2, 0, 1], 9))
    with pytest.raises(cs.DataError, match=r"x holds 1 NaN or infinite values, the first .nan. at index \(2, 0\)"):
        cs.Dataset.from_arrays(X.assign(a=X.a.astype("Float64").where(X.index != "w")), Y)
