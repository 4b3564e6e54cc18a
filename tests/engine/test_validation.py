"""What a step looks at, and what it does not when it is told that the data are right."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal

LAYERS = [6, 5, 4, 3]
X, Y = np.random.default_rng(0).standard_normal((8, 6)), np.random.default_rng(1).integers(0, 3, 8)


def circuit(dtype: str = "float32") -> cs.Circuit:
    return cs.compile(paper_sal(LAYERS), dtype=dtype, device="cpu")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_wrong_number_is_found_wherever_it_is_and_however_the_batch_lies(wrong, dtype):
    for sample, neuron in [(0, 0), (3, 4), (7, 5)]:
        x = torch.tensor(X, dtype=getattr(torch, dtype))
        x[sample, neuron] = wrong
        for given in (x, x.T.contiguous().T, torch.cat([x, x], 1)[:, :6]):
            with pytest.raises(cs.DataError, match="input 'up0': 1 values are not finite"):
                circuit(dtype).step(given, Y)


def test_large_numbers_are_not_mistaken_for_infinite_ones():
    x = X.copy()
    x[2, 3] = 1e20  # its square is infinite in float32
    assert torch.isfinite(circuit().predict(x)).all()


@pytest.mark.parametrize("y", [-1, 3, 2**40, -(2**40)])
def test_a_class_out_of_range_is_named(y):
    target = Y.copy()
    target[5] = y
    with pytest.raises(cs.DataError, match=rf"classes must be in 0 \.\. 2 \(got .*{y}"):
        circuit().step(X, target)


def test_data_known_to_be_right_are_not_looked_at_but_for_their_shape():
    looked, trusting = circuit(), circuit()
    for _ in range(4):
        losses = [looked.step(X, Y).loss, trusting.step(X, Y, check=False).loss]
        assert torch.isfinite(losses[0]).all() and torch.equal(*losses)
    assert torch.equal(looked.weights("W0"), trusting.weights("W0"))
    with pytest.raises(cs.DataError, match="shape"):
        trusting.step(X[:, :5], Y, check=False)
    trusting.step(np.full_like(X, np.nan), Y, check=False)
    assert torch.isnan(trusting.weights("W0")).all()
