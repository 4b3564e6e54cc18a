"""Predictive coding against NumPy, written from the equations of Whittington & Bogacz (2017)."""

import numpy as np
import pytest

import circuitsim as cs
from motifs import predictive_coding


def softmax(y: np.ndarray) -> np.ndarray:
    exponentials = np.exp(y - y.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def changes(
    W: list[np.ndarray], x: np.ndarray, classes: np.ndarray, iterations: int, rate: float, eta: float
) -> list[np.ndarray]:
    """The changes of all weights in one step, for f = tanh and the cross-entropy of the output."""
    target = np.eye(len(W[-1]))[classes]
    values: list[np.ndarray] = []  # of the hidden layers
    below = x
    for w in W[:-1]:  # the values start at their predictions
        values.append(below @ w.T)
        below = np.tanh(values[-1])

    def errors() -> list[np.ndarray]:
        rates = [x, *map(np.tanh, values)]
        predictions = [r @ w.T for r, w in zip(rates, W, strict=True)]
        hidden = [v - m for v, m in zip(values, predictions, strict=False)]
        return [*hidden, target - softmax(predictions[-1])]

    for _ in range(iterations):
        e = errors()
        slopes = [1 - np.tanh(v) ** 2 for v in values]
        values = [
            v + rate * (slope * (above @ w) - own)
            for v, slope, own, above, w in zip(values, slopes, e[:-1], e[1:], W[1:], strict=True)
        ]
    rates = [x, *map(np.tanh, values)]
    return [eta * e.T @ r / len(x) for e, r in zip(errors(), rates, strict=True)]


@pytest.mark.parametrize("iterations", [1, 6])
@pytest.mark.parametrize("layers", [[5, 4, 3], [6, 5, 4, 3]])
def test_changes_are_those_of_the_equations(layers, iterations):
    motif = predictive_coding(layers, activation="tanh", eta=0.3, rate=0.2, iterations=iterations)
    circuit = cs.compile(motif, seed=1, dtype="float64", device="cpu", record_changes=True)
    W = [circuit.weights(f"W{k}")[0].numpy() for k in range(len(layers) - 1)]
    rng = np.random.default_rng(0)
    x, classes = rng.standard_normal((7, layers[0])), rng.integers(0, 3, 7)
    circuit.step(x, classes)
    for k, change in enumerate(changes(W, x, classes, iterations, 0.2, 0.3)):
        np.testing.assert_allclose(circuit.last_change(f"W{k}")[0], change, rtol=1e-10, atol=1e-13)


def test_after_many_iterations_the_values_minimise_the_energy():
    circuit = cs.compile(predictive_coding([6, 5, 3], iterations=300), seed=2, dtype="float64", device="cpu")
    x, classes = np.random.default_rng(1).standard_normal((4, 6)), np.array([0, 1, 2, 0])
    circuit.cycle(x, classes)
    pull = circuit.activity("g1") - circuit.activity("e1")
    assert circuit.activity("e1").abs().max() > 0.01
    np.testing.assert_allclose(pull, 0 * pull, atol=1e-8)


def test_with_small_errors_the_changes_follow_the_gradient():
    circuit = cs.compile(predictive_coding([8, 7, 6, 3]), seed=3, dtype="float64", device="cpu")
    x, classes = np.random.default_rng(2).standard_normal((16, 8)), np.arange(16) % 3
    table = cs.alignment(circuit, x, classes)
    cosines = table[table.quantity == "gradient_cosine"].set_index("site").value
    assert cosines["W2"] > 0.9 and (cosines.drop("W2") > 0.5).all() and list(cosines.index) == ["W0", "W1", "W2"]
