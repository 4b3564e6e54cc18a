"""Decay in float32: the factors that are applied, and what is owed, make up the declared decay exactly."""

import math

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.engine.decay import LEAST, factor_of

DECAYS = [1e-9, 1e-6, -1e-6, 3e-3, -3e-3, 0.3]


def paid(decay, n_steps: int):
    """The logarithm of the product of the factors of all steps, each factor, and what is owed in the end."""
    owed, logarithm, factors = {}, 0.0, []
    with np.errstate(all="raise"):
        for _ in range(n_steps):
            factors.append(factor_of(decay, owed, "W:w", torch.float32))
            logarithm = logarithm + np.log(factors[-1])
    return logarithm, factors, owed["W:w"]


@pytest.mark.parametrize("n_steps", [1, 7, 5000])
@pytest.mark.parametrize("decay", DECAYS)
def test_the_factors_and_what_is_owed_make_up_the_decay(decay, n_steps):
    logarithm, factors, owed = paid(decay, n_steps)
    assert all(factor == float(np.float32(factor)) for factor in factors) and abs(owed) < LEAST
    assert logarithm - owed == pytest.approx(n_steps * math.log1p(-decay), rel=1e-9)


@pytest.mark.parametrize("n_steps", [1, 7, 5000])
def test_each_replica_has_a_decay_of_its_own(n_steps):
    decay = np.reshape(DECAYS, (-1, 1, 1))
    logarithm, factors, owed = paid(decay, n_steps)
    assert all(np.array_equal(factor, factor.astype(np.float32)) for factor in factors) and np.abs(owed).max() < LEAST
    np.testing.assert_allclose(logarithm - owed, n_steps * np.log1p(-decay), rtol=1e-9)


def test_a_large_decay_is_applied_as_it_is_and_owes_nothing():
    owed = {}
    with np.errstate(all="raise"):
        for decay in (0.5, 1.0, 3.0, -2.0):
            assert factor_of(decay, owed, "W:w", torch.float32) == 1 - decay and owed == {}
        decay = np.reshape([1e-9, 0.75, 3.0, -2.0], (-1, 1, 1))
        found = factor_of(decay, owed, "W:w", torch.float32)
    np.testing.assert_array_equal(found.ravel(), [1.0, 0.25, -2.0, 3.0])
    np.testing.assert_allclose(owed["W:w"].ravel(), [1e-9, 0, 0, 0], rtol=1e-6)


def test_what_replicas_owe_becomes_their_mean_when_they_get_one_decay():
    owed = {"W:w": np.reshape([1e-6, 2e-6], (-1, 1, 1))}
    assert factor_of(1e-9, owed, "W:w", torch.float32) == 1.0
    assert owed["W:w"] == pytest.approx(1.5e-6 + 1e-9, rel=1e-6)


def test_float64_owes_nothing():
    owed = {}
    assert factor_of(1e-9, owed, "W:w", torch.float64) == 1 - 1e-9 and owed == {}


def test_weights_that_are_set_owe_nothing():
    motif = cs.Motif("forgets")
    motif.add(cs.Population("x", 1), cs.Population("y", 1))
    motif.connect("x", "y", name="W", rule=cs.Rule("post * pre - gamma * w", gamma=1e-6))
    circuit = cs.compile(motif, device="cpu")
    steps = math.ceil(LEAST / 1e-6)  # after so many, decay is applied
    for _ in range(steps - 1):
        circuit.step([[0.0]])
    circuit.set_weights("W", [[1.0]])
    circuit.step([[0.0]])
    assert circuit.weights("W").item() == 1.0
    for _ in range(steps - 1):
        circuit.step([[0.0]])
    assert circuit.weights("W").item() == pytest.approx(1 - steps * 1e-6, abs=1e-7)
