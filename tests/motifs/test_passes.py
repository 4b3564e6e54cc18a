"""Circuits that learn from several sweeps or from noise, against NumPy. The noise is read from the circuit."""

import numpy as np

from motifs import (
    burst_dependent,
    deep_feedback_control,
    difference_target_propagation,
    node_perturbation,
    pepita,
    phaseless_alignment,
)
from tests.motifs.reference import assert_weights, batches, compiled, softmax_error, weights_of

LAYERS = [5, 4, 4, 3]


def run(motif, names, change):
    """Take steps and compare all weights with those that `change(x, classes, weights, circuit)` returns."""
    circuit = compiled(motif)
    w = dict(zip(names, weights_of(circuit, *names), strict=True))
    start = {name: value.copy() for name, value in w.items()}
    for x, classes in batches(5, 3):
        circuit.step(x, classes, keep="all")
        w |= change(x, classes, w, circuit)
    assert_weights(circuit, w, start)


def activity(circuit, name):
    return circuit.activity(name)[0].numpy()


def test_node_perturbation_correlates_noise_with_the_change_of_the_loss():
    eta, noise, relu = 0.2, 0.3, lambda a: np.maximum(a, 0)

    def change(x, classes, w, circuit):
        xi = [activity(circuit, f"xi{k}") for k in (1, 2, 3)]
        losses = []
        for on in (0, 1):
            h = [x]
            for k in range(3):
                drive = h[k] @ w[f"W{k}"].T + on * xi[k]
                h.append(relu(drive) if k < 2 else drive)
            losses.append((softmax_error(h[3], classes) ** 2).sum(1) / 2)
        reward = (losses[0] - losses[1])[:, None]
        return {f"W{k}": w[f"W{k}"] + eta / noise**2 * (reward * xi[k]).T @ h[k] / 7 for k in range(3)}

    run(node_perturbation(LAYERS, eta=eta, noise=noise), ("W0", "W1", "W2"), change)


def test_on_average_node_perturbation_follows_the_gradient():
    circuit = compiled(node_perturbation([4, 3, 2], eta=1.0, noise=1e-3, activation="tanh", loss="mse"))
    rng = np.random.default_rng(2)
    x, target = rng.standard_normal((1, 4)) / 2, rng.standard_normal((1, 2))
    W0, W1 = weights_of(circuit, "W0", "W1")
    h = np.tanh(x @ W0.T)
    error = target - h @ W1.T
    hidden = (error @ W1) * (1 - h**2)
    n = 100_000
    changes = circuit.data_terms(np.repeat(x, n, 0), np.repeat(target, n, 0))
    spread = np.hypot(np.linalg.norm(error), np.linalg.norm(hidden)) * np.sqrt(2 / n)  # of a mean over the noise
    for name, post, pre in (("W0", hidden, x), ("W1", error, h)):
        gradient, tolerance = post.T @ pre, 3 * spread * np.abs(pre).max()
        assert np.abs(gradient).max() > 5 * tolerance
        np.testing.assert_allclose(changes[name][0].numpy(), gradient, atol=tolerance)


def test_pepita_learns_from_the_second_pass():
    eta, relu = 0.2, lambda a: np.maximum(a, 0)

    def passes(h, w):
        first = relu(h @ w["W0"].T)
        second = relu(first @ w["W1"].T)
        return first, second, second @ w["W2"].T

    def change(x, classes, w, circuit):
        (F,) = weights_of(circuit, "F")
        h1, h2, y = passes(x, w)
        e = softmax_error(y, classes)
        modulated = x - e @ F.T
        m1, m2, _ = passes(modulated, w)
        return {
            "W0": w["W0"] - eta * (h1 - m1).T @ modulated / 7,
            "W1": w["W1"] - eta * (h2 - m2).T @ m1 / 7,
            "W2": w["W2"] + eta * e.T @ m2 / 7,
        }

    run(pepita(LAYERS, eta=eta), ("W0", "W1", "W2"), change)


def test_difference_target_propagation_carries_targets_down_by_learned_inverses():
    eta, eta_V, step, tanh = 0.2, 0.1, 0.4, np.tanh

    def change(x, classes, w, circuit):
        h1 = tanh(x @ w["W0"].T)
        h2 = tanh(h1 @ w["W1"].T)
        e = softmax_error(h2 @ w["W2"].T, classes)
        t2 = h2 + step * e @ w["W2"]
        t1 = h1 + tanh(t2 @ w["V1"].T) - tanh(h2 @ w["V1"].T)
        corrupted = activity(circuit, "c1")
        assert 0.05 < (corrupted - h1).std() < 0.2
        image = tanh(corrupted @ w["W1"].T)
        restored = tanh(image @ w["V1"].T)
        return {
            "W0": w["W0"] + eta / step * ((1 - h1**2) * (t1 - h1)).T @ x / 7,
            "W1": w["W1"] + eta / step * ((1 - h2**2) * (t2 - h2)).T @ h1 / 7,
            "W2": w["W2"] + eta * e.T @ h2 / 7,
            "V1": w["V1"] + eta_V * ((1 - restored**2) * (corrupted - restored)).T @ image / 7,
        }

    run(difference_target_propagation(LAYERS, eta=eta, eta_V=eta_V, step=step), ("W0", "W1", "W2", "V1"), change)


def test_bursts_above_one_half_of_the_events_carry_the_error():
    eta, steepness = 0.4, 3.0

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    def change(x, classes, w, circuit):
        Y1, Y2 = weights_of(circuit, "Y1", "Y2")
        e1 = sigmoid(x @ w["W0"].T)
        e2 = sigmoid(e1 @ w["W1"].T)
        surplus3 = softmax_error(e2 @ w["W2"].T, classes)
        surplus2 = (sigmoid(steepness * (1 - e2) * (surplus3 @ Y2.T)) - 0.5) * e2
        surplus1 = (sigmoid(steepness * (1 - e1) * (surplus2 @ Y1.T)) - 0.5) * e1
        parts = zip(("W0", "W1", "W2"), (surplus1, surplus2, surplus3), (x, e1, e2), strict=True)
        return {name: w[name] + eta * surplus.T @ e / 7 for name, surplus, e in parts}

    run(burst_dependent(LAYERS, eta=eta, steepness=steepness), ("W0", "W1", "W2"), change)


def test_phaseless_alignment_learns_feedback_from_the_noise_that_goes_up():
    eta, eta_B, alpha, relu = 0.2, 0.1, 0.3, lambda a: np.maximum(a, 0)

    def change(x, classes, w, circuit):
        xi1, xi2 = activity(circuit, "x1"), activity(circuit, "x2")
        assert 0.15 < xi1.std() < 0.5
        h1 = relu(x @ w["W0"].T)
        h2 = relu(h1 @ w["W1"].T)
        y = h2 @ w["W2"].T
        g3 = softmax_error(y, classes)
        g2 = (h2 > 0) * (g3 @ w["A2"].T)
        g1 = (h1 > 0) * (g2 @ w["A1"].T)
        r2 = relu((h1 + xi1) @ w["W1"].T)
        d2, d3 = r2 - h2, (r2 + xi2) @ w["W2"].T - y
        return {
            "W0": w["W0"] + eta * g1.T @ x / 7,
            "W1": w["W1"] + eta * g2.T @ h1 / 7,
            "W2": w["W2"] + eta * g3.T @ h2 / 7,
            "A1": w["A1"] + eta_B * (xi1.T @ d2 / 7 - alpha * w["A1"]),
            "A2": w["A2"] + eta_B * (xi2.T @ d3 / 7 - alpha * w["A2"]),
        }

    motif = phaseless_alignment(LAYERS, eta=eta, eta_B=eta_B, alpha=alpha)
    run(motif, ("W0", "W1", "W2", "A1", "A2"), change)


def test_deep_feedback_control_learns_what_the_controller_does():
    eta, eta_Q, gamma, leak, n, rate, tanh = 0.3, 0.1, 0.2, 0.7, 4, 0.3, np.tanh

    def forward(x, w, one=0.0, two=0.0, three=0.0):
        h1 = tanh(x @ w["W0"].T + one)
        h2 = tanh(h1 @ w["W1"].T + two)
        return h1, h2, h2 @ w["W2"].T + three

    def change(x, classes, w, circuit):
        free = forward(x, w)[2]
        u = np.zeros((7, 3))
        for _ in range(n):  # the layers find the controller as it was before
            h1, h2, y = forward(x, w, u @ w["A1"].T, u @ w["A2"].T, u)
            u = u + rate * (softmax_error(y, classes) - leak * u)
        new = {
            "W0": w["W0"] + eta * (h1 - tanh(x @ w["W0"].T)).T @ x / 7,
            "W1": w["W1"] + eta * (h2 - tanh(h1 @ w["W1"].T)).T @ h1 / 7,
            "W2": w["W2"] + eta * (y - h2 @ w["W2"].T).T @ h2 / 7,
        }
        xi1, xi2 = activity(circuit, "xi1"), activity(circuit, "xi2")
        assert 0.15 < xi1.std() < 0.5
        response = forward(x, new, xi1, xi2)[2] - free
        return new | {
            "A1": w["A1"] + eta_Q * (xi1.T @ response / 7 - gamma * w["A1"]),
            "A2": w["A2"] + eta_Q * (xi2.T @ response / 7 - gamma * w["A2"]),
        }

    motif = deep_feedback_control(LAYERS, eta=eta, eta_Q=eta_Q, gamma_Q=gamma, leak=leak, iterations=n, rate=rate)
    run(motif, ("W0", "W1", "W2", "A1", "A2"), change)
