"""RFLO: its changes are those of the paper's equations, written out in NumPy, and it learns a sequence."""

import numpy as np
import pytest

import circuitsim as cs
from motifs import rflo

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")


def online(weights: dict[str, np.ndarray], x: np.ndarray, target: np.ndarray, eta: float, tau: float):
    """The weights after a batch of trials, and the mean of the losses."""
    W, R, U, B = (weights[name].copy() for name in "WRUB")
    h = np.zeros((len(x), len(R)))
    p, q, losses = np.zeros((len(x), *R.shape)), np.zeros((len(x), *W.shape)), []
    for t in range(x.shape[1]):
        u = h @ R.T + x[:, t] @ W.T
        slope = (1 - np.tanh(u) ** 2) / tau
        p = (1 - 1 / tau) * p + slope[:, :, None] * h[:, None, :]
        q = (1 - 1 / tau) * q + slope[:, :, None] * x[:, t][:, None, :]
        h = h + (np.tanh(u) - h) / tau
        y = h @ U.T
        error = target[:, t] - y
        losses.append((error**2).sum(1).mean() / 2)
        back = (error @ B.T)[:, :, None]
        W, R, U = W + eta * (back * q).mean(0), R + eta * (back * p).mean(0), U + eta * error.T @ h / len(x)
    return {"W": W, "R": R, "U": U, "B": B}, np.mean(losses)


def test_its_changes_are_those_of_the_paper():
    circuit = cs.compile(rflo([3, 7, 2], eta=0.05, tau=4.0), seed=1, dtype="float64", device="cpu")
    random = np.random.default_rng(0)
    weights = {name: circuit.weights(name)[0].numpy() for name in "WRUB"}
    for n_samples, n_times in ((4, 6), (2, 9), (1, 1)):
        x, target = random.normal(size=(n_samples, n_times, 3)), random.normal(size=(n_samples, n_times, 2))
        before, start = weights, {name: circuit.weights(name)[0].numpy() for name in "WRU"}
        weights, loss = online(weights, x, target, eta=0.05, tau=4.0)
        np.testing.assert_allclose(circuit.step(x, target).loss, [loss], rtol=1e-12)
        for name in "WRU":
            got, change = circuit.weights(name)[0].numpy() - start[name], weights[name] - before[name]
            np.testing.assert_allclose(got, change, rtol=0, atol=1e-10 * np.abs(change).max(), err_msg=name)
            assert np.abs(change).max() > 1e-4 or (name == "R" and n_times == 1)


def test_a_pulse_makes_a_sine_or_a_cosine_and_only_with_feedback():
    t = np.arange(20)
    x, waves = np.zeros((2, 20, 2)), 2 * np.pi * t / 20
    x[[0, 1], 0, [0, 1]] = 3.0
    target = np.stack([np.sin(waves), np.cos(waves)])[:, :, None]
    options = {"replicas": 3, "device": "cpu"}
    circuit, blind = cs.compile(rflo([2, 30, 1]), **options), cs.compile(rflo([2, 30, 1], gain_B=1e-9), **options)
    for _ in range(250):
        losses = [c.step(x, target).loss.numpy() for c in (circuit, blind)]
    assert (losses[0] < 0.005).all() and (losses[1] > 4 * losses[0]).all()  # 0.25 if it stays silent
    assert np.abs(circuit.predict(x, every_time=True).numpy() - target).mean() < 0.1


def test_it_has_three_populations():
    with pytest.raises(cs.MotifError, match=r"rflo: layers must be the sizes of the input, .* .got .64, 32, 32, 10.."):
        rflo([64, 32, 32, 10])
