"""Lemma 1: V and Vt^T approach each other at a known rate, whatever the data."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal

LAYERS = [6, 8, 7, 5]


def gap(circuit: cs.Circuit, layer: int) -> float:
    return float((circuit.weights(f"V{layer}")[0] - circuit.weights(f"Vt{layer}")[0].T).norm())


def random_batch(rng):
    return rng.standard_normal((16, LAYERS[0])), rng.integers(0, LAYERS[-1], 16)  # random labels: nothing to learn


@pytest.mark.parametrize(("decay", "factor"), [("scaled", 1 - 0.2 * 0.05), ("plain", 1 - 0.05)])
def test_the_gap_between_V_and_Vt_decays_exactly_as_predicted_under_random_labels(decay, factor):
    motif = paper_sal(LAYERS, [9, 4], eta=0.2, eta_V=1.0, gamma=0.05, gain_V=1.0, decay=decay)
    circuit = cs.compile(motif, dtype="float64", device="cpu", seed=1)
    start = {layer: gap(circuit, layer) for layer in (1, 2)}
    rng = np.random.default_rng(0)
    for n in range(1, 151):
        circuit.step(*random_batch(rng))
        for layer in (1, 2):
            assert np.isfinite(gap(circuit, layer))
            np.testing.assert_allclose(gap(circuit, layer) / start[layer], factor**n, rtol=1e-10)


@pytest.mark.parametrize("regularizer", ["l2", "l1", "homeostatic"])
def test_the_gap_shrinks_monotonically_under_convex_regularizers_shared_by_V_and_Vt(regularizer):
    """Exact for small steps; with l1, a step of eta gamma overshoots weights nearer to 0 than that (here: not seen)."""
    motif = paper_sal(LAYERS, [9, 4], eta=0.05, eta_V=1.0, gamma=0.05, gain_V=1.0, regularizer=regularizer)
    circuit = cs.compile(motif, dtype="float64", device="cpu", seed=1)
    rng = np.random.default_rng(0)
    last = {layer: gap(circuit, layer) for layer in (1, 2)}
    first = dict(last)
    for _ in range(150):
        circuit.step(*random_batch(rng))
        for layer in (1, 2):
            now = gap(circuit, layer)
            assert np.isfinite(now) and now <= last[layer] * (1 + 1e-12)
            last[layer] = now
    assert all(last[layer] < 0.99 * first[layer] for layer in (1, 2))


def test_without_decay_the_gap_stays():
    circuit = cs.compile(paper_sal(LAYERS, [9, 4], gamma=0.0, gain_V=1.0), dtype="float64", device="cpu", seed=1)
    before = circuit.weights("V1")[0] - circuit.weights("Vt1")[0].T
    rng = np.random.default_rng(0)
    for _ in range(20):
        circuit.step(*random_batch(rng))
    after = circuit.weights("V1")[0] - circuit.weights("Vt1")[0].T
    torch.testing.assert_close(after, before, rtol=0, atol=1e-12)
