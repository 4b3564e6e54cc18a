"""Circuits that settle twice, against NumPy and against torch.autograd at the fixed point."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import contrastive_hebbian, dendritic_microcircuit, equilibrium_propagation, incremental_predictive_coding
from tests.motifs.reference import assert_weights, batches, compiled, softmax_error, weights_of


def settle(s, nudge, W, classes, strength, iterations, rate, sharpness):
    """Equilibrium propagation: move activities and nudge, and return the product of each pair of layers."""
    for _ in range(iterations):
        before = [a.copy() for a in s]
        for k in range(1, len(s)):
            feedback = before[k + 1] @ W[k] if k + 1 < len(s) else strength * sharpness * nudge
            s[k] = np.clip(before[k] + rate * (s[k - 1] @ W[k - 1].T + feedback - before[k]), 0, 1)
        nudge[:] = softmax_error(sharpness * s[-1], classes)
    return [s[k + 1].T @ s[k] / len(nudge) for k in range(len(W))]


@pytest.mark.parametrize("centred", [False, True])
def test_equilibrium_propagation_changes_weights_as_scellier_and_bengio_say(centred):
    layers, eta, beta, rate, sharpness = [5, 4, 4, 3], [0.3, 0.2, 0.1], 0.4, 0.5, 2.0
    settings = {"eta": eta, "beta": beta, "centred": centred, "free": 6, "nudged": 3, "rate": rate}
    circuit = compiled(equilibrium_propagation(layers, sharpness=sharpness, **settings))
    names = ("W0", "W1", "W2")
    W = weights_of(circuit, *names)
    start = dict(zip(names, W, strict=True))
    for signed, classes in batches(5, 3):
        x = np.abs(signed)
        s, nudge = [x] + [np.zeros((7, n)) for n in layers[1:]], np.zeros((7, 3))
        free = settle(s, nudge, W, classes, 0.0, 6, rate, sharpness)
        nudged = settle(s, nudge, W, classes, beta, 3, rate, sharpness)
        opposed = settle(s, nudge, W, classes, -beta, 6, rate, sharpness) if centred else []
        for k in range(3):
            contrast = (nudged[k] - opposed[k]) / 2 if centred else nudged[k] - free[k]
            W[k] = W[k] + eta[k] / beta * contrast
        circuit.step(x, classes)
    assert_weights(circuit, dict(zip(names, W, strict=True)), start)


@pytest.mark.parametrize(("centred", "beta"), [(False, 1e-4), (True, 1e-2)])
def test_equilibrium_propagation_follows_the_gradient_at_its_fixed_point(centred, beta):
    options = {"beta": beta, "centred": centred, "free": 150, "nudged": 100, "rate": 0.5}
    circuit = compiled(equilibrium_propagation([6, 5, 4, 3], eta=1.0, **options), record_changes=True)
    rng = np.random.default_rng(3)
    start = {f"W{k}": np.abs(circuit.weights(f"W{k}").numpy()) / 2 for k in range(3)}  # no unit is silent or saturated
    for name, w in start.items():
        circuit.set_weights(name, w)
    x, classes = np.abs(rng.standard_normal((8, 6))) / 2, rng.integers(0, 3, 8)
    W = [torch.tensor(w[0], requires_grad=True) for w in start.values()]
    s = [torch.tensor(x)] + [torch.zeros(8, n, dtype=torch.float64) for n in (5, 4, 3)]
    for _ in range(150):
        for k in range(1, 4):
            drive = s[k - 1] @ W[k - 1].T + (s[k + 1] @ W[k] if k < 3 else 0)
            s[k] = torch.clamp(s[k] + 0.5 * (drive - s[k]), 0, 1)
    assert all(((a > 0) & (a < 1)).all() for a in s[1:])
    torch.nn.functional.cross_entropy(3.0 * s[3], torch.tensor(classes)).backward()
    circuit.step(x, classes)
    for k, w in enumerate(W):
        change, gradient = circuit.last_change(f"W{k}")[0].numpy().ravel(), -w.grad.numpy().ravel()
        assert change @ gradient / np.linalg.norm(change) / np.linalg.norm(gradient) > 0.9999
        np.testing.assert_allclose(np.linalg.norm(change), np.linalg.norm(gradient), rtol=0.01)


def test_equilibrium_propagation_needs_a_rate_for_each_w():
    with pytest.raises(cs.MotifError, match=r"one rate for each of the 2 W, or one for all \(got \[0.1\]\)"):
        equilibrium_propagation([5, 4, 3], eta=[0.1])


def test_contrastive_hebbian_learning_changes_weights_as_xie_and_seung_say():
    eta, feedback = 0.2, 0.3
    circuit = compiled(contrastive_hebbian([5, 4, 4, 3], eta=eta, feedback=feedback, iterations=5))
    W = weights_of(circuit, "W0", "W1", "W2")
    start = [w.copy() for w in W]
    for x, classes in batches(5, 3):
        h = [x, np.zeros((7, 4)), np.zeros((7, 4)), np.zeros((7, 3))]  # the last one is the output, free or clamped
        products = []
        for is_clamped in (False, True):
            for _ in range(5):
                before = [a.copy() for a in h]
                for k in (1, 2):
                    h[k] = np.tanh(h[k - 1] @ W[k - 1].T + feedback * before[k + 1] @ W[k])
                y = h[2] @ W[2].T
                h[3] = y + softmax_error(y, classes) if is_clamped else y
            products.append([h[k + 1].T @ h[k] / 7 for k in range(3)])
        W = [w + eta * feedback ** (k - 2) * (products[1][k] - products[0][k]) for k, w in enumerate(W)]
        circuit.step(x, classes)
    names = ("W0", "W1", "W2")
    assert_weights(circuit, dict(zip(names, W, strict=True)), dict(zip(names, start, strict=True)))


def test_with_the_squared_error_the_output_of_contrastive_hebbian_learning_is_clamped_to_the_target():
    circuit = compiled(contrastive_hebbian([5, 4, 3], loss="mse"))
    rng = np.random.default_rng(5)
    x, target = rng.standard_normal((6, 5)), rng.standard_normal((6, 3))
    circuit.step(x, target, keep="all")
    np.testing.assert_allclose(circuit.activity("clamp")[0], target, rtol=1e-12)


def test_incremental_predictive_coding_changes_weights_at_each_iteration():
    eta, rate, iterations = 0.1, 0.2, 4
    circuit = compiled(
        incremental_predictive_coding([5, 4, 4, 3], eta=eta, rate=rate, iterations=iterations, activation="tanh")
    )
    W = weights_of(circuit, "W0", "W1", "W2")
    start = [w.copy() for w in W]
    for x, classes in batches(5, 3):
        v = [x @ W[0].T]
        v.append(np.tanh(v[0]) @ W[1].T)

        def errors(W, v, x=x, classes=classes):
            f = [x, np.tanh(v[0]), np.tanh(v[1])]
            m = [a @ w.T for a, w in zip(f, W, strict=True)]
            return f, [v[0] - m[0], v[1] - m[1], softmax_error(m[2], classes)]

        for t in range(iterations + 1):  # values and weights move at once, but at first and last only one of them
            f, e = errors(W, v)
            moved = [v[k] + rate * ((1 - f[k + 1] ** 2) * (e[k + 1] @ W[k + 1]) - e[k]) for k in (0, 1)]
            if t > 0:
                W = [w + eta * a.T @ b / 7 for w, a, b in zip(W, e, f, strict=True)]
            v = moved
        circuit.step(x, classes)
    names = ("W0", "W1", "W2")
    assert_weights(circuit, dict(zip(names, W, strict=True)), dict(zip(names, start, strict=True)))


def test_dendritic_microcircuits_change_weights_as_sacramento_et_al_say():
    eta, eta_IP, eta_PI, apical, nudge, n = 0.1, 0.3, 0.1, 0.4, 0.3, 3
    circuit = compiled(
        dendritic_microcircuit(
            [5, 4, 4, 3], eta=eta, eta_IP=eta_IP, eta_PI=eta_PI, apical=apical, nudge=nudge, iterations=n
        )
    )
    names = ("W0", "W1", "W2", "IP1", "IP2", "PI1", "PI2")
    W0, W1, W2, IP1, IP2, PI1, PI2 = weights_of(circuit, *names)
    B1, B2 = W1.T.copy(), W2.T.copy()  # the circuit starts where it predicts itself
    assert (IP1 == W1).all() and (IP2 == W2).all() and not PI1.any()
    start = dict(zip(names, (W0, W1, W2, IP1, IP2, PI1, PI2), strict=True))
    tanh = np.tanh
    for x, classes in batches(5, 3):
        a1, a2, error = np.zeros((7, 4)), np.zeros((7, 4)), np.zeros((7, 3))
        for phase in ("predict", "teach"):
            for _ in range(n):
                r1 = tanh(x @ W0.T + apical * a1)
                r2 = tanh(r1 @ W1.T + apical * a2)
                y = r2 @ W2.T + (nudge * error if phase == "teach" else 0)
                error = softmax_error(y, classes)
                i1 = (1 - nudge) * tanh(r1 @ IP1.T) + nudge * r2
                i2 = (1 - nudge) * (r2 @ IP2.T) + nudge * y
                a1, a2 = r2 @ B1.T + i1 @ (PI1 - B1).T, y @ B2.T + i2 @ (PI2 - B2).T
                if phase == "predict":
                    d1, d2 = i1 - tanh(r1 @ IP1.T), i2 - r2 @ IP2.T
                    IP1, IP2 = IP1 + eta_IP * d1.T @ r1 / 7, IP2 + eta_IP * d2.T @ r2 / 7
                    PI1, PI2 = PI1 - eta_PI * a1.T @ i1 / 7, PI2 - eta_PI * a2.T @ i2 / 7
        d = r1 - tanh(x @ W0.T), r2 - tanh(r1 @ W1.T), y - r2 @ W2.T
        W0 = W0 + eta / nudge / apical**2 * d[0].T @ x / 7
        W1 = W1 + eta / nudge / apical * d[1].T @ r1 / 7
        W2 = W2 + eta / nudge * d[2].T @ r2 / 7
        circuit.step(x, classes)
    assert_weights(circuit, dict(zip(names, (W0, W1, W2, IP1, IP2, PI1, PI2), strict=True)), start)
