"""Circuits that learn from several sweeps or from noise, against NumPy. The noise is read from the circuit."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import (
    burst_dependent,
    counter_streams,
    deep_feedback_control,
    difference_target_propagation,
    forward_forward,
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


def test_forward_forward_raises_the_goodness_of_right_labels_and_lowers_that_of_wrong_ones():
    eta, eta_out, threshold, label = 0.1, 0.2, 1.5, 0.8

    def passes(n, shown, w):
        for k in (0, 1):
            drive = n @ w[f"W{k}"].T + (shown @ w["L"].T if k == 0 else 0)
            h = np.maximum(drive, 0)
            yield h, n
            n = 2 * h / np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-12)  # of mean square 1
        yield None, n

    def change(x, classes, w, circuit):
        wrong = activity(circuit, "wrong")
        assert (wrong.sum(1) == 1).all() and not wrong[np.arange(7), classes].any()
        *_, (_, read) = passes(x, np.full((7, 3), label / 3), w)
        new = {name: value.copy() for name, value in w.items()}
        new["W2"] += eta_out * softmax_error(read @ w["W2"].T, classes).T @ read / 7
        for labels, is_right in ((np.eye(3)[classes], True), (wrong, False)):
            for k, (h, n) in enumerate(list(passes(x, label * labels, w))[:2]):
                p = 1 / (1 + np.exp(threshold * 4 - (h**2).sum(1)))
                teaches = (1 - p if is_right else -p)[:, None] * h
                new[f"W{k}"] += eta * teaches.T @ n / 7
                if k == 0:
                    new["L"] += eta * teaches.T @ (label * labels) / 7
        return new

    motif = forward_forward(LAYERS, eta=eta, eta_out=eta_out, threshold=threshold, label=label)
    run(motif, ("W0", "W1", "W2", "L"), change)


def test_wrong_labels_of_forward_forward_are_those_that_the_network_takes_for_right():
    circuit = compiled(forward_forward([5, 4, 3]))
    circuit.set_weights("W1", np.outer([9.0, 0.0, -9.0], np.ones(4)))  # y falls from one class to the next
    circuit.step(np.ones((300, 5)), np.arange(300) % 3, keep=["wrong"])
    shares = [activity(circuit, "wrong")[k::3].mean(0) for k in range(3)]
    np.testing.assert_array_equal(shares, [[0, 1, 0], [1, 0, 0], [1, 0, 0]])


def test_forward_forward_needs_a_hidden_layer():
    with pytest.raises(cs.MotifError, match=r"forward_forward: needs a hidden layer, which learns \(got layers"):
        forward_forward([5, 3])


TASKS = np.array([0, 1, 1, 0, 1, 0, 0])


@pytest.mark.parametrize("tasks", [0, 2])
def test_counter_streams_change_both_streams_by_the_same_products(tasks):
    eta, gamma, relu = 0.2, 0.01, lambda a: np.maximum(a, 0)
    circuit = compiled(counter_streams(LAYERS, tasks=tasks, eta=eta, gamma=gamma))
    names = ("W0", "W1", "W2", "Wt1", "Wt2")
    w = dict(zip(names, weights_of(circuit, *names), strict=True))
    start, (T,) = w.copy(), weights_of(circuit, "T") if tasks else (np.zeros((4, 2)),)
    task = np.eye(2)[TASKS]
    for x, classes in batches(5, 3):
        circuit.step({"up0": x, "task": task} if tasks else x, classes)
        t2 = relu(task @ T.T)
        t1 = relu(t2 @ w["Wt1"].T)
        on1, on2 = (t1 > 0, t2 > 0) if tasks else (1, 1)
        assert not tasks or 0.2 < on1.mean() < 0.8
        h1 = relu(x @ w["W0"].T) * on1
        h2 = relu(h1 @ w["W1"].T) * on2
        g3 = softmax_error(h2 @ w["W2"].T, classes)
        g2 = (g3 @ w["Wt2"].T) * (h2 > 0)
        g1 = (g2 @ w["Wt1"].T) * (h1 > 0)
        products = g1.T @ x / 7, g2.T @ h1 / 7, g3.T @ h2 / 7
        counter_hebb = {"W0": products[0], "W1": products[1], "W2": products[2]}
        counter_hebb |= {"Wt1": products[1].T, "Wt2": products[2].T}
        w = {name: w[name] + eta * (counter_hebb[name] - gamma * w[name]) for name in names}
    assert_weights(circuit, w, start)


def test_counter_streams_answer_the_question_that_they_are_asked():
    data, rng = cs.load_dataset("digits"), np.random.default_rng(0)
    circuit = cs.compile(counter_streams([64, 48, 32, 2], tasks=2), seed=0, device="cpu")

    def asked(split, k):  # whether the digit is odd, or above 4
        return split.x[k], torch.where(task[:, 0] > 0, split.target[k] % 2, (split.target[k] > 4).long())

    for _ in range(1500):
        task = torch.eye(2)[rng.integers(0, 2, 64)]
        x, answer = asked(data.train, rng.integers(0, len(data.train.x), 64))
        circuit.step({"up0": x, "task": task}, answer)
    for question in (0, 1):
        everything = np.arange(len(data.validation.x))
        task = torch.eye(2)[np.full(len(everything), question)]
        x, answer = asked(data.validation, everything)
        assert (circuit.predict({"up0": x, "task": task})[0].argmax(1) == answer).float().mean() > 0.94


def test_tasks_of_counter_streams_need_a_hidden_layer():
    with pytest.raises(cs.MotifError, match=r"counter_streams: tasks need a hidden layer .* \(got layers \[5, 3\]\)"):
        counter_streams([5, 3], tasks=2)
