"""Masks and weights mean what they say, of whatever kind the array is, or are refused with the first offender."""

import io

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import circuitsim as cs
from tests.motif.circuits import changed, fault

WEIGHTS = np.array([[0.5, 0.0, -1.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.25, 0.0, 0.0]])
FORMS = {
    "lists": WEIGHTS.tolist(),
    "objects": WEIGHTS.astype(object),
    "by columns": np.asfortranarray(WEIGHTS),
    "long doubles": WEIGHTS.astype(np.longdouble),
    "masked, but nowhere": np.ma.array(WEIGHTS, mask=False),
    "frame": pd.DataFrame(WEIGHTS),
    "frame with indices in another order": pd.DataFrame(WEIGHTS).iloc[[2, 0, 1], [3, 1, 0, 2]],
    "sparse frame": pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(WEIGHTS)),
    "nullable frame": pd.DataFrame(WEIGHTS).astype("Float64"),
    "frame of two types": pd.DataFrame(WEIGHTS).astype({0: "Float64"}),
    **{form: sp.coo_matrix(WEIGHTS).asformat(form) for form in ("coo", "csr", "csc", "lil", "dok", "bsr", "dia")},
    "sparse array": sp.csr_array(WEIGHTS),
    "tensor": torch.tensor(WEIGHTS, requires_grad=True),
    "bfloat16": torch.tensor(WEIGHTS, dtype=torch.bfloat16),
    "sparse tensor": torch.tensor(WEIGHTS).to_sparse(),
    "sparse CSR tensor": torch.tensor(WEIGHTS).to_sparse_csr(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_array_is_a_mask_and_weights_and_can_be_set(form):
    motif = changed("W0", connectivity=cs.Mask(FORMS[form]), init=cs.Given(FORMS[form]))
    circuit = cs.compile(motif, replicas=2, dtype="float64", device="cpu")
    np.testing.assert_array_equal(circuit.weights("W0"), np.stack([WEIGHTS] * 2))
    np.testing.assert_array_equal(circuit.mask("W0"), np.stack([WEIGHTS != 0] * 2))
    circuit.set_weights("W0", np.zeros((3, 4)))
    circuit.set_weights("W0", FORMS[form])
    np.testing.assert_array_equal(circuit.weights("W0"), np.stack([WEIGHTS] * 2))


BLANKS = {
    "None": [[1, None, 0, 1], [1, 1, 1, 1], [None, 0, 0, 0]],
    "NaN": [[1, np.nan, 0, 1], [1, 1, 1, 1], [np.nan, 0, 0, 0]],
    "pandas.NA": pd.DataFrame([[1, None, 0, 1], [1, 1, 1, 1], [None, 0, 0, 0]], dtype="Int64"),
    "masked": np.ma.array(np.eye(3, 4), mask=[[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]),
    "masked rows": [np.ma.masked_equal([1, 5, 0, 1], 5), np.ones(4), np.ma.masked_equal([5, 0, 0, 0], 5)],
    "csv": pd.read_csv(io.StringIO("1,,0,1\n1,1,1,1\n,0,0,0"), header=None),
}  # fmt: skip


@pytest.mark.parametrize("kind", BLANKS)
def test_blanks_are_refused_unless_the_user_says_what_they_are(kind):
    for what, value in (("Mask", {"connectivity": cs.Mask(BLANKS[kind])}), ("Given", {"init": cs.Given(BLANKS[kind])})):
        assert fault(changed("W0", **value)) == (
            f"projection 'W0': {what}: 2 of 12 entries are blank or not finite, the first (nan) at "
            f"[post, pre] = [0, 1]; if a blank means that there is no synapse, use {what}(array, blank=0)"
        )
    mask, given = cs.Mask(BLANKS[kind], blank=0), cs.Given(BLANKS[kind], blank=0)
    assert mask.array[0, 1] == mask.array[2, 0] == 0 and np.array_equal(mask.array, given.array)
    changed("W0", connectivity=mask, init=given).validate()


def test_infinity_is_refused_whatever_a_blank_is():
    message = fault(changed("W0", connectivity=cs.Mask(np.full((3, 4), -np.inf), blank=0)))
    assert message.endswith("Mask: 12 of 12 entries are blank or not finite, the first (-inf) at [post, pre] = [0, 0]")
    with pytest.raises(cs.MotifError, match="Given: blank must be a finite number, or None to refuse blanks .got nan."):
        cs.Given(WEIGHTS, blank=float("nan"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([["0", "1"]], "2 of 2 entries are not: '0' at [post, pre] = [0, 0]; convert it, as in array.astype(float)"),
        ([[0, 1], [b"1", ""]], "2 of 4 entries are not: b'1' at [post, pre] = [1, 0]"),
        ([[1, 2j]], "1 of 2 entries is not: 2j at [post, pre] = [0, 1]"),
        (np.array([["2026-01-01"]], dtype="M8[D]"), "1 of 1 entries is not: "),
        ([[0.5, print]], "1 of 2 entries is not: "),
        ("abc", "1 of 1 entries is not: 'abc' at []"),
        (pd.DataFrame({"cell": ["a", "b"], "a": [0, 1]}), "2 of 4 entries are not: 'a' at [post, pre] = [0, 0]; if the "
         "file's first column holds names, read it with pandas.read_csv(path, index_col=0)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [cs.Mask, cs.Given])
def test_what_is_no_number_is_refused_by_name(kind, entries, message):
    with pytest.raises(cs.MotifError) as caught:
        kind(entries)
    assert str(caught.value).startswith(f"{kind.__name__} must be an array of numbers, but {message}")


def test_a_ragged_mask_and_a_sparse_one_too_large_for_an_array_are_refused():
    with pytest.raises(cs.MotifError, match="Mask is not a rectangular array"):
        cs.Mask([[1], [1, 2]])
    with pytest.raises(
        cs.MotifError, match=r"Mask: a sparse matrix of shape \(20000, 20000\) is too large .* Edges\(pre"
    ):
        cs.Mask(sp.eye(20_000))


def test_the_advice_for_large_sparse_matrices_works():
    m = sp.coo_matrix(WEIGHTS)
    motif = changed("W0", connectivity=cs.Edges(pre=m.col, post=m.row), init=cs.Given(m.data))
    np.testing.assert_array_equal(cs.compile(motif, dtype="float64", device="cpu").weights("W0")[0], WEIGHTS)


@pytest.mark.parametrize("form", ["coo", "frame", "tensor", "masked, but nowhere"])
def test_a_parameter_per_synapse_may_be_of_any_kind(form):
    rule = cs.Rule("eta * pre", eta=FORMS[form])
    assert rule == cs.Rule("eta * pre", eta=WEIGHTS)
    changed("W0", rule=rule).validate()


def test_a_parameter_with_blanks_or_names_is_refused():
    assert "rule parameter 'eta' must be finite numbers" in fault(
        changed("W0", rule=cs.Rule("eta", eta=BLANKS["masked"]))
    )
    named = pd.DataFrame(WEIGHTS, index=list("abc"))
    assert "rule parameter 'eta' is a data frame with names; use frame.to_numpy()" in fault(
        changed("W0", rule=cs.Rule("eta", eta=named))
    )


STRANGE = {
    "time spans": (np.ones((3, 4), "m8[ns]"), r"12 of 12 entries are not"),
    "records": (np.ones((3, 4), [("a", float), ("b", float)]), r"array of records with the fields a, b; choose one"),
    "without data": (torch.zeros(3, 4, device="meta"), "cannot be read as a NumPy array"),
    "complex conjugate": (torch.ones(3, 4, dtype=torch.cfloat).conj(), "12 of 12 entries are not"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_kinds_of_arrays_that_hold_no_numbers_are_refused_everywhere(kind):
    array, message = STRANGE[kind]
    circuit = cs.compile(changed("W0"), device="cpu")
    for take in (cs.Mask, cs.Given, lambda a: circuit.set_weights("W0", a)):
        with pytest.raises(cs.CircuitError, match=message):
            take(array)
    with pytest.raises(cs.DataError):
        cs.Dataset.from_arrays(array, [0, 1, 2])
    assert "rule parameter 'eta' must be finite numbers" in fault(changed("W0", rule=cs.Rule("eta", eta=array)))


def test_lists_of_tensors_are_arrays_also_where_they_require_gradients():
    rows = [torch.tensor(row, dtype=torch.float64, requires_grad=True) for row in WEIGHTS]
    np.testing.assert_array_equal(cs.Given(rows).array, WEIGHTS)


@pytest.mark.parametrize("value", [np.array(["0.1", "0.2"]), np.array("0.1"), b"0.1", ["0.1", 0.2]])
def test_a_parameter_that_is_text_is_refused_also_in_an_array(value):
    assert "rule parameter 'eta' must be finite numbers" in fault(changed("W0", rule=cs.Rule("eta", eta=value)))


def test_names_of_neurons_that_look_alike_are_one_name():
    composed, decomposed = ["caf\u00e9", "\u00b5", "c"], ["cafe\u0301", "\u03bc", "c"]
    mask = cs.Mask(pd.DataFrame(WEIGHTS != 0, index=composed))
    given = cs.Given(pd.DataFrame(WEIGHTS, index=decomposed).iloc[::-1])
    circuit = cs.compile(changed("W0", connectivity=mask, init=given), dtype="float64", device="cpu")
    np.testing.assert_array_equal(circuit.weights("W0")[0], WEIGHTS)
    circuit.set_weights("W0", pd.DataFrame(2 * WEIGHTS, index=composed))
    np.testing.assert_array_equal(circuit.weights("W0")[0], 2 * WEIGHTS)
    assert cs.Mask(WEIGHTS, post_names=decomposed).post_names == cs.Mask(WEIGHTS, post_names=composed).post_names
