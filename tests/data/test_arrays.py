"""Arrays of users: what is taken and what is refused, with a message that helps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from circuitsim.data.arrays import read_inputs
from circuitsim.errors import DataError


def read(x, dtype=torch.float32):
    return read_inputs(x, "x", dtype)


@pytest.mark.parametrize(
    "x",
    [
        np.arange(12).reshape(3, 2, 2),
        np.arange(12, dtype=">f4").reshape(3, 4),
        np.arange(12, dtype=np.uint16).reshape(3, 4),
        np.arange(12, dtype=np.longdouble).reshape(3, 4),
        torch.arange(12.0, requires_grad=True).reshape(3, 4),
        torch.arange(12, dtype=torch.bfloat16).reshape(3, 4),
        pd.DataFrame(np.arange(12).reshape(3, 4)),
        np.arange(12).reshape(3, 4).tolist(),
        np.arange(12).reshape(4, 3).T.copy().T.reshape(3, 4),
    ],
    ids=["3-D", "big-endian", "uint16", "longdouble", "grad", "bfloat16", "pandas", "list", "strided"],
)
def test_numbers_of_any_kind_become_a_float_tensor_of_samples_by_features(x):
    tensor = read(x)
    assert torch.isfinite(tensor).all()
    assert tensor.dtype == torch.float32
    assert not tensor.requires_grad
    assert tensor.tolist() == np.arange(12).reshape(3, 4).tolist()


def test_one_number_per_sample_becomes_one_feature():
    assert read([1, 2, 3]).shape == (3, 1)


def test_input_arrays_are_copied():
    x = np.zeros((2, 3), dtype=np.float32)
    tensor = read(x)
    x += 1
    assert tensor.abs().sum() == 0


def test_float64_keeps_its_digits_when_asked_for():
    assert read([[1 / 3]], torch.float64).item() == 1 / 3
    assert read([[1 / 3]]).item() == np.float32(1 / 3)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([], r"x is empty \(shape \(0,\)\)"),
        (np.zeros((3, 0)), r"x is empty \(shape \(3, 0\)\)"),
        (5.0, "x is a single number"),
        ([["a", "b"]], r"x has dtype <U1; convert it to numbers .*: 'a' at index \(0, 0\) is text$"),
        (pd.DataFrame({"a": [1, 2], "b": [3, "?"]}), r"x has dtype object; .*: '\?' at index \(1, 1\) is text$"),
        (np.array([[None, 1]]), "x has dtype object"),
        (np.zeros((2, 2), complex), "x has dtype complex128"),
        ([[1, 2], [3]], "x is not a rectangular array"),
        ([[1e39], [2]], r"x reaches 1e\+39, too large for torch.float32: rescale it"),
    ],
)
def test_what_is_not_an_array_of_finite_numbers_is_refused(x, message):
    with pytest.raises(DataError, match=message):
        read(x)


def test_nan_and_infinity_are_counted_and_the_first_is_located():
    x = np.zeros((4, 2, 3))
    x[1, 1, 2], x[3, 0, 0], x[2, 0, 1] = np.nan, np.nan, np.inf
    with pytest.raises(DataError, match=r"x holds 3 NaN or infinite values, the first \(nan\) at index \(1, 1, 2\)"):
        read(x)


def test_a_mapping_gives_a_dict_and_messages_name_the_entry():
    tensors = read({"image": np.zeros((2, 2, 2)), "context": [1, 0]})
    assert {name: tuple(t.shape) for name, t in tensors.items()} == {"image": (2, 4), "context": (2, 1)}
    with pytest.raises(DataError, match=r"x\['context'\] holds 1 NaN"):
        read({"image": np.zeros((2, 2)), "context": [1, np.nan]})
