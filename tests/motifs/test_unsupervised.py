"""Circuits that learn from inputs alone, against NumPy and what they converge to."""

import numpy as np

import circuitsim as cs
from motifs import foldiak, krotov_hopfield, oja, sanger, softhebb
from tests.motifs.reference import assert_weights, batches, compiled, weights_of


def principal(circuit: cs.Circuit, n: int) -> tuple[cs.Circuit, np.ndarray]:
    """Train on inputs with distinct variances along random axes; return these axes, the largest variance first."""
    rng = np.random.default_rng(4)
    axes = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    x = rng.standard_normal((2000, 6)) * [2.0, 1.5, 1.1, 0.5, 0.3, 0.1] @ axes
    x -= x.mean(0)
    axes = np.linalg.svd(x, full_matrices=False)[2]
    for _ in range(n):
        circuit.step(x)
    return circuit, axes


def test_oja_changes_weights_as_oja_says():
    circuit = compiled(oja([5, 3], eta=0.1))
    (W,) = weights_of(circuit, "W")
    start = W.copy()
    for x, _ in batches(5, 3):
        circuit.step(x)
        y = x @ W.T
        W = W + 0.1 * np.mean(y[:, :, None] * (x[:, None, :] - y[:, :, None] * W), axis=0)
    assert_weights(circuit, {"W": W}, {"W": start})


def test_oja_finds_the_first_principal_component():
    circuit, axes = principal(compiled(oja([6, 2], eta=0.05)), 400)
    for row in circuit.weights("W")[0].numpy():
        np.testing.assert_allclose(row * np.sign(row @ axes[0]), axes[0], atol=1e-6)


def test_sanger_changes_weights_as_the_triangular_rule_says():
    circuit = compiled(sanger([5, 3], eta=0.1))
    names = ("R1", "R2", "R3")
    W = np.concatenate(weights_of(circuit, *names))
    start = {name: row[None].copy() for name, row in zip(names, W, strict=True)}
    for x, _ in batches(5, 3):
        circuit.step(x)
        y = x @ W.T
        W = W + 0.1 * (y.T @ x / 7 - np.tril(y.T @ y / 7) @ W)  # Sanger's equation
    assert_weights(circuit, {name: row[None] for name, row in zip(names, W, strict=True)}, start)


def test_sanger_finds_the_principal_components_in_order():
    circuit, axes = principal(compiled(sanger([6, 3], eta=0.05)), 600)
    for k in range(3):
        row = circuit.weights(f"R{k + 1}")[0, 0].numpy()
        np.testing.assert_allclose(row * np.sign(row @ axes[k]), axes[k], atol=1e-4)


def test_foldiak_changes_weights_and_thresholds_as_foldiak_says():
    alpha, beta, gamma, p, rate, n = 0.2, 0.1, 0.3, 0.25, 0.4, 5
    circuit = compiled(
        foldiak([5, 4], alpha=alpha, beta=beta, gamma=gamma, p=p, steepness=6.0, iterations=n, rate=rate)
    )
    (Q,) = weights_of(circuit, "Q")
    L, t = np.zeros((4, 4)), np.ones(4)
    start = {"Q": Q.copy(), "L": L.copy()}
    for x, _ in batches(5, 4):
        x = (x > 0).astype(float)
        u = np.zeros((7, 4))
        for _ in range(n):
            before, u = u, u + rate * (1 / (1 + np.exp(-6.0 * (x @ Q.T + u @ L.T - t))) - u)
        y, y_before = (u > 0.5).astype(float), (before > 0.5).astype(float)  # lateral synapses are one iteration late
        L = np.minimum(L - alpha * (y.T @ y_before / 7 - p**2), 0) * (1 - np.eye(4))
        Q = Q + beta * (y.T @ x / 7 - y.mean(0)[:, None] * Q)
        t = t + gamma * (y.mean(0) - p)
        circuit.step(x)
    assert_weights(circuit, {"Q": Q, "L": L}, start)
    np.testing.assert_allclose(circuit.state("output", "t")[0], t, rtol=1e-12)


def test_every_neuron_of_foldiaks_network_finds_a_line_of_its_own_and_is_active_as_often_as_asked():
    circuit, rng = compiled(foldiak([16, 8], p=0.2, gamma=0.1)), np.random.default_rng(6)
    lines = np.concatenate([np.kron(np.eye(4), np.ones((1, 4))), np.tile(np.eye(4), 4)])  # of a 4 x 4 image
    active = []
    for _ in range(1500):
        circuit.step(np.clip((rng.random((64, 8)) < 1 / 4).astype(float) @ lines, 0, 1), keep=["output"])
        active.append((circuit.activity("output")[0].numpy() > 0.5).mean(0))
    np.testing.assert_allclose(np.mean(active[-100:], axis=0), 0.2, atol=0.02)
    similar = np.corrcoef(circuit.weights("Q")[0], lines)[:8, 8:]
    assert set(similar.argmax(1)) == set(range(8)) and similar.max(1).min() > 0.9


def test_krotov_and_hopfields_winner_learns_and_the_neuron_of_the_given_rank_unlearns():
    eta, delta, rival = 0.02, 0.3, 3
    circuit = compiled(krotov_hopfield([5, 6], eta=eta, delta=delta, rival=rival))
    (W,) = weights_of(circuit, "W")
    start = W.copy()
    for x, _ in batches(5, 6):
        u, g = x @ W.T, np.zeros((7, 6))
        ranked = np.argsort(-u, axis=1)
        g[np.arange(7), ranked[:, 0]], g[np.arange(7), ranked[:, rival]] = 1, -delta
        W = W + eta * np.mean(g[:, :, None] * (x[:, None, :] - u[:, :, None] * W), axis=0)
        circuit.step(x, keep=["output"])
        np.testing.assert_allclose(circuit.activity("output")[0], np.maximum(u, 0) ** 2, rtol=1e-10)
    assert_weights(circuit, {"W": W}, {"W": start})


def test_softhebb_changes_weights_as_journe_et_al_say():
    eta, sharpness, tau = 0.05, 0.5, 4.0
    circuit = compiled(softhebb([5, 4, 3], eta=eta, sharpness=sharpness, tau=tau, gain_W=2.0))
    names = ("W0", "W1")
    w = dict(zip(names, weights_of(circuit, *names), strict=True))
    start, m, v = w.copy(), [np.zeros(4), np.zeros(3)], [np.ones(4), np.ones(3)]
    for h, _ in batches(5, 3):
        circuit.step(h)
        for k, name in enumerate(names):
            u = h @ w[name].T
            y = np.exp(sharpness * u) / np.exp(sharpness * u).sum(1, keepdims=True)
            y = np.where(u == u.max(1, keepdims=True), y, -y)
            rate = eta * np.sqrt(np.abs(np.linalg.norm(w[name], axis=1) - 1))
            hebb = np.mean(y[:, :, None] * (h[:, None, :] - u[:, :, None] * w[name]), axis=0)
            r = np.maximum(u - u.mean(1, keepdims=True), 0)
            h = (r - m[k]) / np.sqrt(v[k] + 1e-5)
            w[name] = w[name] + rate[:, None] * hebb
            m[k], v[k] = m[k] + (r.mean(0) - m[k]) / tau, v[k] + (((r - m[k]) ** 2).mean(0) - v[k]) / tau
    assert_weights(circuit, w, start)


def test_each_cluster_finds_a_neuron_that_turns_to_it_and_whose_weights_get_length_1():
    rng = np.random.default_rng(7)
    centres = 4 * np.linalg.qr(rng.standard_normal((12, 4)))[0].T
    for motif, name in ((krotov_hopfield([12, 8], eta=0.1), "W"), (softhebb([12, 8], eta=0.2), "W0")):
        circuit = compiled(motif)
        for _ in range(1000):
            circuit.step(centres[rng.integers(0, 4, 64)] + 0.1 * rng.standard_normal((64, 12)))
        (W,) = weights_of(circuit, name)
        cosines = centres @ W.T / 4 / np.linalg.norm(W, axis=1)
        best = cosines.argmax(1)
        assert len(set(best)) == 4 and (cosines.max(1) > 0.9).all(), motif.name
        np.testing.assert_allclose(np.linalg.norm(W[best], axis=1), 1, atol=0.05)
