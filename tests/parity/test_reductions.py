"""The two-stream circuit contains SGD, Kolen-Pollack and direct Kolen-Pollack exactly."""

import numpy as np
import torch

import circuitsim as cs
from motifs import backprop, direct_kolen_pollack, feedback_alignment, kolen_pollack, paper_sal
from motifs.two_stream import IDENTITY
from tests.parity.reference import ascend, softmax_error

LAYERS = [8, 7, 6, 5]


def batches(n_steps: int, n: int = 16, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], n)) for _ in range(n_steps)]


def mlp(weights: list[torch.Tensor], activation: type[torch.nn.Module]) -> torch.nn.Sequential:
    parts: list[torch.nn.Module] = []
    for k, w in enumerate(weights):
        linear = torch.nn.Linear(w.shape[1], w.shape[0], bias=False, dtype=torch.float64)
        linear.weight.data.copy_(w)
        parts += [linear, activation()] if k < len(weights) - 1 else [linear]
    return torch.nn.Sequential(*parts)


def test_backprop_equals_autograd_with_sgd_over_100_steps():
    for activation, module in (("relu", torch.nn.ReLU), ("tanh", torch.nn.Tanh)):
        circuit = cs.compile(
            backprop(LAYERS, eta=0.3, gamma=1e-3, activation=activation), dtype="float64", device="cpu", seed=5
        )
        network = mlp([circuit.weights(f"W{k}")[0] for k in range(3)], module)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.3, weight_decay=1e-3)
        first, last = None, None
        for x, target in batches(100):
            loss = torch.nn.functional.cross_entropy(network(torch.tensor(x)), torch.tensor(target))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            ours = circuit.step(x, target).loss.item()
            assert np.isfinite(ours)
            np.testing.assert_allclose(ours, loss.item(), rtol=1e-10)
            first, last = first or ours, ours
        for k in range(3):
            torch.testing.assert_close(circuit.weights(f"W{k}")[0], network[2 * k].weight.data, rtol=0, atol=1e-10)
            assert torch.equal(circuit.weights("Wt1"), circuit.weights("W1").transpose(1, 2))
        assert first != last


def test_backprop_with_bias_units_equals_autograd():
    circuit = cs.compile(backprop(LAYERS, eta=0.2, gamma=0.0, bias=True), dtype="float64", device="cpu")
    network = torch.nn.Sequential(
        *[
            m
            for k in range(3)
            for m in (torch.nn.Linear(LAYERS[k], LAYERS[k + 1], dtype=torch.float64), torch.nn.ReLU())
        ][:-1]
    )
    for k in range(3):
        network[2 * k].weight.data.copy_(circuit.weights(f"W{k}")[0])
        network[2 * k].bias.data.zero_()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.2)
    for x, target in batches(50):
        loss = torch.nn.functional.cross_entropy(network(torch.tensor(x)), torch.tensor(target))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        circuit.step(x, target)
    for k in range(3):
        bias = circuit.weights(f"b{k + 1}")[0, :, 0]
        assert torch.isfinite(bias).all() and bias.abs().max() > 1e-3
        torch.testing.assert_close(bias, network[2 * k].bias.data, rtol=0, atol=1e-10)


def kolen_pollack_step(W, Wt, x, target, eta, gamma):
    h, p = ascend(W, x)
    error, _ = softmax_error(h[-1], target)
    g = {len(W): error}
    for layer in range(len(W) - 1, 0, -1):
        g[layer] = (g[layer + 1] @ Wt[layer].T) * (p[layer - 1] > 0)
    n = len(x)
    dW = [eta * (g[k + 1].T @ h[k] / n - gamma * W[k]) for k in range(len(W))]
    dWt = {k: eta * (h[k].T @ g[k + 1] / n - gamma * Wt[k]) for k in Wt}
    return [w + d for w, d in zip(W, dW, strict=True)], {k: Wt[k] + dWt[k] for k in Wt}


def test_sal_with_fixed_one_to_one_pathways_and_masks_is_kolen_pollack_step_for_step():
    eta, gamma = 0.2, 0.02
    reduced = paper_sal(LAYERS, eta=eta, eta_Wt=1.0, gamma=gamma, gamma_Wt=1.0, trace=None, descending="jacobian")
    for name in ("V1", "V2", "Vt1", "Vt2"):
        reduced = reduced.replace(name, rule=None, **IDENTITY)
    for motif in (reduced, kolen_pollack(LAYERS, eta=eta, gamma=gamma)):
        circuit = cs.compile(motif, dtype="float64", device="cpu", seed=2)
        W = [circuit.weights(f"W{k}")[0].numpy() for k in range(3)]
        Wt = {k: circuit.weights(f"Wt{k}")[0].numpy() for k in (1, 2)}
        gap = np.linalg.norm(W[1] - Wt[1].T)
        for x, target in batches(100):
            circuit.step(x, target)
            W, Wt = kolen_pollack_step(W, Wt, x, target, eta, gamma)
        for k in range(3):
            assert np.isfinite(W[k]).all()
            np.testing.assert_allclose(circuit.weights(f"W{k}")[0].numpy(), W[k], rtol=1e-12, atol=1e-13)
        for k in (1, 2):
            np.testing.assert_allclose(circuit.weights(f"Wt{k}")[0].numpy(), Wt[k], rtol=1e-12, atol=1e-13)
        # and Kolen-Pollack does what it is for: the gap decays by (1 - eta gamma) a step
        np.testing.assert_allclose(np.linalg.norm(W[1] - Wt[1].T), gap * (1 - eta * gamma) ** 100, rtol=1e-10)


def test_feedback_alignment_keeps_its_feedback_and_learns_with_it():
    circuit = cs.compile(feedback_alignment(LAYERS, eta=0.2, gamma=0.0), dtype="float64", device="cpu", seed=2)
    W = [circuit.weights(f"W{k}")[0].numpy() for k in range(3)]
    Wt = {k: circuit.weights(f"Wt{k}")[0].numpy() for k in (1, 2)}
    for x, target in batches(30):
        circuit.step(x, target)
        W, _ = kolen_pollack_step(W, Wt, x, target, 0.2, 0.0)
    for k in range(3):
        np.testing.assert_allclose(circuit.weights(f"W{k}")[0].numpy(), W[k], rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(circuit.weights("Wt1")[0].numpy(), Wt[1])


def direct_step(W, B, x, target, eta, gamma):
    """Webster et al.: the error reaches layer k through B_k, which follows E[h_k e^T] and decays."""
    h, p = ascend(W, x)
    e, _ = softmax_error(h[-1], target)
    n, depth = len(x), len(W)
    drive = {k: e @ B[k].T * (p[k - 1] > 0) for k in range(1, depth)} | {depth: e}
    new_W = [W[k] + eta * (drive[k + 1].T @ h[k] / n - gamma * W[k]) for k in range(depth)]
    new_B = {k: B[k] + eta * (h[k].T @ e / n - gamma * B[k]) for k in B}
    return new_W, new_B


def test_direct_kolen_pollack_is_its_published_rule():
    motif = direct_kolen_pollack(LAYERS, eta=0.2, eta_V=1.0, gamma=0.01)
    circuit = cs.compile(motif, dtype="float64", device="cpu", seed=4)
    W = [circuit.weights(f"W{k}")[0].numpy() for k in range(3)]
    B = {k: circuit.weights(f"V{k}")[0].numpy() for k in (1, 2)}
    for x, target in batches(100):
        circuit.step(x, target)
        W, B = direct_step(W, B, x, target, 0.2, 0.01)
    for k in range(3):
        assert np.isfinite(W[k]).all()
        np.testing.assert_allclose(circuit.weights(f"W{k}")[0].numpy(), W[k], rtol=1e-12, atol=1e-13)
    for k in (1, 2):
        np.testing.assert_allclose(circuit.weights(f"V{k}")[0].numpy(), B[k], rtol=1e-12, atol=1e-13)


def test_with_frozen_Wt_and_V_from_zero_sal_drives_as_direct_kolen_pollack_through_AtA():
    """V_l = K_l A_l^T, where K_l obeys direct Kolen-Pollack, so I_V = K_l (A_l^T A_l) e."""
    eta, gamma = 0.2, 0.02
    motif = paper_sal(LAYERS, [20, 15], eta=eta, eta_V=1.0, gamma=gamma, trace=None)
    for name in ("Wt1", "Wt2"):
        motif = motif.replace(name, plastic=False)
    for name in ("V1", "V2"):
        motif = motif.replace(name, init=cs.Constant(0.0))
    circuit = cs.compile(motif, dtype="float64", device="cpu", seed=6)
    Wt = {k: circuit.weights(f"Wt{k}")[0].numpy() for k in (1, 2)}
    A = {2: Wt[2], 1: Wt[1] @ Wt[2]}
    K = {k: np.zeros((LAYERS[k], LAYERS[-1])) for k in (1, 2)}
    for x, target in batches(100):
        circuit.step(x, target)
        e = circuit.activity("down3")[0].numpy()
        for k in (1, 2):
            h = circuit.activity(f"up{k}")[0].numpy()
            K[k] = K[k] + eta * (h.T @ e / len(x) - gamma * K[k])
    x, target = batches(1, seed=9)[0]
    circuit.cycle(x, target)
    e = circuit.activity("down3")[0].numpy()
    for k in (1, 2):
        drive = circuit.current(f"V{k}")[0].numpy()
        direct = e @ (K[k] @ A[k].T @ A[k]).T
        assert np.isfinite(direct).all() and np.abs(direct).max() > 1e-3
        np.testing.assert_allclose(drive, direct, rtol=1e-12, atol=1e-14)
