"""Products by BLAS and by oneDNN against NumPy in float64."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.engine.products import BLAS, LEAST_WORK, products_of
from circuitsim.errors import ParameterError
from motifs import sal


def names() -> list[str]:
    try:
        products_of("onednn", torch.empty(0))
    except ParameterError:
        return ["blas"]
    return ["blas", "onednn"]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("shape", [(1, 9, 7, 5), (3, 9, 7, 5), (1, 160, 150, 140), (2, 160, 150, 140)])
@pytest.mark.parametrize("turned", [False, True])
def test_products_are_those_of_numpy(name, shape, turned):
    n_replicas, n, k, m = shape
    rng = np.random.default_rng(0)
    a, b, start = (rng.standard_normal(s) for s in ((n_replicas, n, k), (n_replicas, k, m), (n_replicas, n, m)))
    left, right, into = (torch.tensor(x, dtype=torch.float32) for x in (a, b, start))
    if turned:  # the same matrices, in memory the other way round
        left, right = left.mT.contiguous().mT, right.mT.contiguous().mT
    products = products_of(name, left)
    for out in (None, torch.empty(n_replicas, n, m)):
        found = products.plain(left, right, out)
        assert torch.isfinite(found).all()
        np.testing.assert_allclose(found.numpy(), a @ b, atol=1e-4)
        np.testing.assert_allclose(products.scaled(left, right, 0.25, out).numpy(), 0.25 * (a @ b), atol=1e-4)
    assert products.add_(into, left, right, 0.25, 0.5) is into
    np.testing.assert_allclose(into.numpy(), 0.5 * start + 0.25 * (a @ b), atol=1e-4)


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.skipif("onednn" not in names(), reason="this build of torch has no oneDNN")
def test_a_circuit_learns_the_same_by_onednn(replicas):
    layers = [160, 130, 120, 10]
    assert 128 * 160 * 130 > LEAST_WORK  # so that it is used
    circuits = [cs.compile(sal(layers), replicas=replicas, device="cpu", products=name) for name in ("blas", "onednn")]
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = rng.standard_normal((128, 160)), rng.integers(0, 10, 128)
        losses = [circuit.step(x, y).loss for circuit in circuits]
    assert torch.isfinite(losses[0]).all()
    torch.testing.assert_close(*losses, rtol=1e-4, atol=0)
    for p in circuits[0].motif.projections:
        torch.testing.assert_close(circuits[0].weights(p.name), circuits[1].weights(p.name), rtol=0, atol=1e-5)


def test_what_is_not_to_be_had_is_refused():
    assert products_of("blas", torch.empty(0, dtype=torch.float64)) is BLAS
    with pytest.raises(ParameterError, match=r"products must be 'blas' or 'onednn' \(got 'mkl'\)"):
        cs.compile(sal([4, 3, 2]), products="mkl")
    with pytest.raises(ParameterError, match="for float32 on the CPU"):
        cs.compile(sal([4, 3, 2]), products="onednn", device="cpu", dtype="float64")
