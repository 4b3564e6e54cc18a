"""A float64 circuit gets its data in float64, however it is given; x far from 0 shows where it did not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import circuitsim as cs

BASE = 1e8  # float32 numbers are 8 apart there
RNG = np.random.default_rng(0)
X = BASE + RNG.integers(-9, 10, (40, 2)) + RNG.random((40, 2))
TARGET = RNG.standard_normal((40, 1))
WAYS: dict[str, Callable[[], Any]] = {
    "arrays": lambda: (X, TARGET),
    "lists": lambda: (X.tolist(), TARGET.tolist()),
    "tensors": lambda: (torch.tensor(X), torch.tensor(TARGET)),
    "a split": lambda: cs.Dataset.from_arrays(X, TARGET, dtype=torch.float64).train,
    "a data set": lambda: cs.Dataset.from_arrays(X, TARGET, dtype=torch.float64),
    "batches": lambda: [(X[k : k + 10], TARGET[k : k + 10]) for k in range(0, 40, 10)],
    "tensors in batches": lambda: [(torch.tensor(X), torch.tensor(TARGET))],
}


def motif(eta: float = 0.0) -> cs.Motif:
    """y is the difference of the two inputs: a few units, of numbers of 1e8."""
    found = cs.Motif("difference")
    found.add(cs.Population("x", 2), cs.Population("y", 1), cs.Population("e", 1, stream="descending"))
    rule = cs.Rule("eta * I_E * sign(pre)", eta=eta)
    found.connect("x", "y", name="W", init=cs.Given(np.array([[1.0, -1.0]])), rule=rule)
    found.connect("e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    found.add(cs.Objective("y", "e", loss="mse"))
    return found


def loss() -> float:
    return ((X[:, :1] - X[:, 1:] - TARGET) ** 2).mean() / 2


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_the_loss_is_that_of_the_numbers_given(way, replicas):
    circuit = cs.compile(motif(), replicas=replicas, dtype="float64", device="cpu")
    assert 10 < loss() < 30
    np.testing.assert_allclose(cs.evaluate(circuit, WAYS[way]())["loss"], loss(), rtol=1e-6)
    history = cs.fit(circuit, WAYS[way](), batch_size=10, progress=False)
    np.testing.assert_allclose(history.final("loss", "online"), loss(), rtol=1e-6)
    for split in {row[3] for row in history.rows}:
        assert np.ptp(history.curve("loss", split).to_numpy()) < 1e-6 * loss()


def test_learning_is_that_of_steps_by_hand():
    circuit, twin = (cs.compile(motif(1e-9), dtype="float64", device="cpu") for _ in range(2))
    cs.fit(circuit, (X, TARGET), epochs=2, batch_size=10, data_seed=3, progress=False)
    split = cs.Dataset.from_arrays(X, TARGET, dtype=torch.float64).train
    for epoch in range(2):
        for x, target in cs.minibatches(split, 10, seed=3, epoch=epoch):
            twin.step(x, target)
    assert torch.equal(circuit.weights("W"), twin.weights("W"))
    assert not torch.equal(circuit.weights("W"), torch.tensor([[[1.0, -1.0]]], dtype=torch.float64))


@pytest.mark.parametrize("way", ["arrays", "lists", "tensors", "batches"])
def test_what_float32_cannot_hold_is_taken_in_float64_and_refused_in_float32(way, monkeypatch):
    monkeypatch.setitem(globals(), "X", np.full((40, 2), 1e39))
    monkeypatch.setitem(globals(), "TARGET", np.full((40, 1), 3.0))
    circuit = cs.compile(motif(), dtype="float64", device="cpu")
    assert cs.evaluate(circuit, WAYS[way]())["loss"] == 4.5
    assert cs.fit(circuit, WAYS[way](), batch_size=10, progress=False).final("loss", "online") == 4.5
    small = cs.compile(motif(), device="cpu")
    for use in (lambda: cs.evaluate(small, WAYS[way]()), lambda: cs.fit(small, WAYS[way](), batch_size=10)):
        with pytest.raises(cs.DataError, match="not finite|too large for torch.float32"):
            use()
