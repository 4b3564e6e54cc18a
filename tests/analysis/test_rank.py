"""Effective rank has closed forms."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import circuitsim as cs


def test_closed_forms():
    assert cs.effective_rank(np.eye(5)).item() == pytest.approx(5, rel=1e-12)
    assert cs.effective_rank(np.outer([1, 2, 3], [4, 5])).item() == pytest.approx(1, abs=1e-6)
    p = np.array([3, 1]) / 4
    assert cs.effective_rank(np.diag([3.0, 1.0])).item() == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-12)


def test_it_works_on_stacks_and_does_not_depend_on_scale_or_rotation():
    rng = np.random.default_rng(0)
    stack = rng.standard_normal((3, 6, 4))
    ranks = cs.effective_rank(stack)
    assert ranks.shape == (3,) and ((ranks > 1) & (ranks < 4)).all()
    rotation, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    np.testing.assert_allclose(cs.effective_rank(-7 * rotation @ stack), ranks, rtol=1e-10)


def test_what_has_no_rank_is_refused():
    for wrong, message in (
        (np.zeros((2, 2)), "zeros"),
        ([[np.nan, 1], [1, 1]], "1 entries are not finite"),
        ([1.0], "needs a matrix"),
    ):
        with pytest.raises(cs.AnalysisError, match=message):
            cs.effective_rank(wrong)


def test_the_matrix_may_be_of_any_kind_without_blanks():
    matrix = np.diag([3.0, 1.0, 0.0])
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    for kind in (pd.DataFrame(matrix), sp.csr_matrix(matrix), matrix.tolist(), torch.tensor(matrix)):
        assert float(cs.effective_rank(kind)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(cs.AnalysisError, match="1 entries are not finite"):
        cs.effective_rank(np.ma.masked_equal(matrix, 3.0))
