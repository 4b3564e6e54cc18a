"""Masks put back and masks taken away: each against NumPy in float64, and against what it must reduce to."""

import numpy as np
import pytest

import circuitsim as cs
from motifs import apical_sal, backprop, kolen_pollack

LAYERS = [6, 7, 5, 4]


def batch(seed=0, n=9):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], n)


def forward(W, x, target):
    """Pre-activations, activities and minus the gradient of each sample's loss with respect to the output."""
    h, p = [x], []
    for k, w in enumerate(W):
        p.append(h[-1] @ w.T)
        h.append(np.maximum(p[-1], 0) if k < len(W) - 1 else p[-1])
    y = np.exp(h[-1] - h[-1].max(1, keepdims=True))
    return p, h, np.eye(LAYERS[-1])[target] - y / y.sum(1, keepdims=True)


def weights(circuit, kind, layers):
    return [circuit.weights(f"{kind}{k}")[0].numpy() for k in layers]


def close(found, expected):
    found = found[0].numpy()
    assert np.isfinite(found).all() and np.abs(expected).max() > 1e-6
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)


def test_without_masks_each_layer_sees_the_slope_of_its_own_neurons_only():
    circuit = cs.compile(backprop(LAYERS, masks=False, eta=0.3, gamma=0.0), dtype="float64", record_changes=True)
    W = weights(circuit, "W", range(3))
    x, target = batch()
    circuit.step(x, target)
    p, h, e = forward(W, x, target)
    below = e
    for k in (2, 1, 0):
        drive = below if k == 2 else below * (p[k] > 0)
        close(circuit.last_change(f"W{k}"), 0.3 * drive.T @ h[k] / len(x))
        below = below @ W[k]  # no mask


@pytest.mark.parametrize("gated", [True, False])
def test_apical_sal_is_its_equations(gated):
    motif = apical_sal(
        LAYERS, [8, 3], eta=0.3, eta_V=0.5, eta_Wt=0.7, gamma=0.01, gamma_Wt=3.0, gated=gated, trace=None
    )
    circuit = cs.compile(motif, dtype="float64", record_changes=True)
    W, Wt = weights(circuit, "W", range(3)), [None, *weights(circuit, "Wt", (1, 2))]
    V, Vt = [None, *weights(circuit, "V", (1, 2))], [None, *weights(circuit, "Vt", (1, 2))]
    x, target = batch(1)
    circuit.step(x, target)
    p, h, e = forward(W, x, target)
    n, a, g = len(x), {3: e}, {}
    for k in (2, 1):
        g[k] = a[k + 1] @ Wt[k].T
        a[k] = g[k] @ V[k].T * ((p[k - 1] > 0) if gated else 1)
        close(circuit.last_change(f"Wt{k}"), 0.21 * ((h[k] @ Vt[k].T).T @ a[k + 1] / n - 0.03 * Wt[k]))
        close(circuit.last_change(f"V{k}"), 0.15 * (h[k].T @ g[k] / n - 0.01 * V[k]))
        close(circuit.last_change(f"Vt{k}"), 0.15 * (g[k].T @ h[k] / n - 0.01 * Vt[k]))
    for k in range(3):
        drive = a[k + 1] * (p[k] > 0) if k < 2 else a[k + 1]
        close(circuit.last_change(f"W{k}"), 0.3 * (drive.T @ h[k] / n - 0.01 * W[k]))


def test_with_one_to_one_pairing_apical_sal_is_kolen_pollack_step_for_step():
    one_to_one = {"init": cs.Identity(), "connectivity": cs.OneToOne(), "plastic": False}
    motif = apical_sal(LAYERS, eta=0.3, eta_Wt=1.0, gamma=0.01, gamma_Wt=1.0, trace=None)
    for k in (1, 2):
        motif = motif.replace(f"V{k}", **one_to_one).replace(f"Vt{k}", **one_to_one)
    reference = kolen_pollack(LAYERS, eta=0.3, gamma=0.01, gain_Wt=1.0)
    apical, known = (cs.compile(m, dtype="float64") for m in (motif, reference))
    for step in range(50):
        x, target = batch(step)
        apical.step(x, target)
        known.step(x, target)
    for name in ("W0", "W1", "W2", "Wt1", "Wt2"):
        np.testing.assert_allclose(apical.weights(name), known.weights(name), rtol=1e-10, atol=1e-13)


def test_v_comes_to_mirror_vt_from_noise_alone():
    circuit = cs.compile(apical_sal(LAYERS, [40, 30], pathway="mirror", trace=None), dtype="float64")
    for step in range(1500):
        circuit.step(*batch(step, n=64))
    for k in (1, 2):
        v, vt = circuit.weights(f"V{k}")[0].numpy(), circuit.weights(f"Vt{k}")[0].numpy()
        assert np.isfinite(v).all()
        assert np.abs(v - vt.T).max() < 0.1 * np.abs(vt).max()


def test_an_unknown_pathway_is_refused():
    with pytest.raises(cs.MotifError, match=r"pathway must be 'plastic', 'mirror' or 'tied' \(got 'copied'\)"):
        apical_sal(LAYERS, pathway="copied")
